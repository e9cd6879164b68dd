#!/usr/bin/env node
// Lets `terraform init`, `validate` and `test` (with mock_provider) check real
// resource types where no provider binary can be had. It makes a stand-in for a
// provider: a plugin that knows the provider's resource types and their arguments
// and does nothing else (no plan or apply outside mock_provider, no checks of
// values). The types come from the provider's CDKTF bindings on npm, which were
// generated from the provider's own schema.
//
//   tf-offline.mjs install DIR CONFIG_DIR...   read which types the .tf files use,
//        fetch the bindings once into DIR, write the stand-ins there; prints the
//        two variables to export. Run it again after using a new type.
//   tf-offline.mjs check DIR CONFIG_DIR [SUB...]   install, then fmt -check, init,
//        validate and test on a copy of CONFIG_DIR, so that neither a lock file
//        nor .terraform is left in it; in each SUB folder of it where some are named
//        (modules they use by relative path must lie in CONFIG_DIR); exit 0 if all
//        passed
//
// Known gaps: arguments that are optional are not marked as also computed (but
// for a few usual ones), rules between arguments (conflicts, exactly one of) and
// of values are not known, min_items is not known. A real `terraform plan` with the
// real provider may still refuse what passes here.
// Needs node 18+, npm, tar and terraform on the PATH; no other package.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import http2 from 'node:http2';
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// provider's source address -> npm package of its bindings, of a version that is known to serve
const VERSIONS = { aws: '21.22.1' };
const BINDINGS = (name) => `@cdktf/provider-${name}` + (VERSIONS[name] ? `@${VERSIONS[name]}` : '');
const ALSO_COMPUTED = new Set(['id', 'arn', 'tags_all', 'region', 'bucket', 'name', 'owner_id', 'name_prefix', 'bucket_prefix',
  'availability_zone', 'private_ip', 'vpc_id', 'kms_key_id', 'policy', 'key_id']);

// ---- the types, from the bindings ------------------------------------------

const SIMPLE = { string: 'string', number: 'number', boolean: 'bool', any: 'dynamic' };
const flat = (s) => s.replace(/_/g, '').toLowerCase();

function hclEntries(body) {
  const out = [];
  const re = /^\s+"?(\w+)"?: \{\s+value: (.+),\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)",/gm;
  for (const m of body.matchAll(re)) out.push({ name: m[1], expr: m[2], isBlock: m[3] === 'true', type: m[4], storage: m[5] });
  return out;
}

function attrType(e, ctx) {
  if (e.type === 'simple') return SIMPLE[e.storage] ?? 'dynamic';
  const inner = /^(string|number|boolean|any)(List|Map|MapList|ListList)?$/.exec(e.storage);
  const base = inner ? SIMPLE[inner[1]] : null;
  if (base) {
    if (inner[2] === 'MapList') return [e.type, ['map', base]];
    if (inner[2] === 'ListList') return [e.type, ['list', base]];
    return [e.type === 'struct' ? 'map' : e.type, base];
  }
  const fn = /(\w+)ToHclTerraform/.exec(e.expr.replace(/cdktf\.\w+/g, ''));
  const obj = fn && ctx.structs[fn[1]] ? objectType(fn[1], ctx) : 'dynamic';
  return e.type === 'struct' ? obj : [e.type, obj];
}
function objectType(fn, ctx) {
  const o = {};
  for (const e of ctx.structs[fn]) o[e.name] = e.isBlock ? blockAsType(e, ctx) : attrType(e, ctx);
  return ['object', o];
}
const blockAsType = (e, ctx) => attrType({ ...e, isBlock: false }, ctx);

function required(dts, iface) {
  const m = new RegExp(`export interface ${iface}( extends [^{]+)? \\{([\\s\\S]*?)\\n\\}`).exec(dts);
  const req = new Set();
  if (m) for (const p of m[2].matchAll(/readonly (\w+)(\??):/g)) if (!p[2]) req.add(flat(p[1]));
  return req;
}

function block(entries, req, ctx, depth = 0) {
  const b = { attributes: [], blocks: [] };
  for (const e of entries) {
    const isReq = req.has(flat(e.name)) || req.has(flat(e.name) + 'attribute');
    const fn = /(\w+)ToHclTerraform/.exec(e.expr.replace(/cdktf\.\w+/g, ''));
    if (e.isBlock && fn && ctx.structs[fn[1]] && depth < 12) {
      const many = /listMapperHcl/.test(e.expr);
      const iface = fn[1][0].toUpperCase() + fn[1].slice(1);
      b.blocks.push({
        name: e.name, mode: e.type === 'struct' ? 1 : e.type === 'set' ? 3 : e.type === 'map' ? 4 : 2,
        min: isReq && e.type !== 'struct' ? 1 : 0, max: many || e.type === 'struct' ? 0 : 1,
        block: block(ctx.structs[fn[1]], required(ctx.dts, iface), ctx, depth + 1),
      });
    } else {
      b.attributes.push({ name: e.name, type: attrType(e, ctx), required: isReq, optional: !isReq,
        computed: !isReq && ALSO_COMPUTED.has(e.name) });
    }
  }
  return b;
}

// attributes that can only be read: those with a getter and no place in the config
function readOnly(text, known, ctx) {
  const out = [];
  const T = { String: 'string', Number: 'number', Boolean: 'bool', List: ['list', 'string'], NumberList: ['list', 'number'],
    StringMap: ['map', 'string'], NumberMap: ['map', 'number'], BooleanMap: ['map', 'bool'], AnyMap: ['map', 'dynamic'] };
  for (const m of text.matchAll(/return (?:cdktf\.Fn\.tolist\()?this\.get(\w+?)Attribute\('(\w+)'\)/g))
    if (!known.has(m[2]) && T[m[1]]) { known.add(m[2]); out.push({ name: m[2], type: T[m[1]], computed: true }); }
  for (const m of text.matchAll(/this\._\w+ = new (cdktf\.)?(\w+)\(this, ["'](\w+)["'](?:, (true|false))?\)/g)) {
    if (known.has(m[3])) continue;
    known.add(m[3]);
    let type;
    if (m[1]) type = /Map$/.test(m[2]) && !/MapList/.test(m[2]) ? ['map', 'string'] : ['list', ['map', 'string']];
    else {
      const cls = m[2].replace(/List$/, '') + 'OutputReference';
      const c = new RegExp(`class ${cls} extends[\\s\\S]*?\\n\\}`).exec(ctx.js);
      const o = {};
      if (c) for (const a of readOnly(c[0], new Set(), ctx)) o[a.name] = a.type;
      type = [m[4] === 'true' ? 'set' : 'list', ['object', o]];
    }
    out.push({ name: m[3], type, computed: true });
  }
  return out;
}

function schemaOf(dir) {
  const js = fs.readFileSync(path.join(dir, 'index.js'), 'utf8'), dts = fs.readFileSync(path.join(dir, 'index.d.ts'), 'utf8');
  const ctx = { js, dts, structs: {} };
  for (const m of js.matchAll(/^function (\w+)ToHclTerraform\(struct\) \{([\s\S]*?)^\}/gm)) ctx.structs[m[1]] = hclEntries(m[2]);
  const cls = /^class (\w+) extends cdktf\.Terraform(Resource|DataSource|Provider)/m.exec(js);
  const body = js.slice(cls.index);
  const entries = hclEntries(/synthesizeHclAttributes\(\) \{([\s\S]*?)\n    \}/.exec(body)[1]);
  const b = block(entries, required(dts, cls[1] + 'Config'), ctx);
  if (cls[2] !== 'Provider') {
    const known = new Set([...b.attributes, ...b.blocks].map((x) => x.name));
    b.attributes.push(...readOnly(body, known, ctx));
    if (!b.attributes.some((a) => a.name === 'id') && !b.blocks.some((a) => a.name === 'id')) b.attributes.push({ name: 'id', type: 'string', computed: true });
  }
  return { block: b, version: /providerVersion: '([\d.]+)'/.exec(js)?.[1] };
}

// ---- install ----------------------------------------------------------------

// the provider's full address, as this terraform says it
function address(prov) {
  const d = fs.mkdtempSync(path.join(os.tmpdir(), 'tf-offline-'));
  try {
    fs.writeFileSync(path.join(d, 'main.tf'), `terraform {\n  required_providers {\n    ${prov} = { source = "hashicorp/${prov}" }\n  }\n}\n`);
    const out = spawnSync('terraform', ['providers'], { cwd: d, encoding: 'utf8', env: { ...process.env, TF_CLI_CONFIG_FILE: '' } }).stdout;
    return /provider\[([^\]]+)\]/.exec(out)[1];
  } finally { fs.rmSync(d, { recursive: true, force: true }); }
}

function tfFiles(dir) {
  const out = [];
  for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
    if (e.name.startsWith('.')) continue;
    const p = path.join(dir, e.name);
    if (e.isDirectory()) out.push(...tfFiles(p)); else if (/\.(tf|tftest\.hcl)$/.test(e.name)) out.push(p);
  }
  return out;
}

function install(dir, confDirs) {
  dir = path.resolve(dir);
  fs.mkdirSync(dir, { recursive: true });
  const use = new Map(); // provider -> { resource:Set, data:Set }
  for (const f of confDirs.flatMap(tfFiles)) {
    for (const m of fs.readFileSync(f, 'utf8').matchAll(/^\s*(resource|data)\s+"(\w+)"\s+"/gm)) {
      const p = m[2].split('_')[0];
      if (m[2] === 'terraform_data' || m[2] === 'terraform_remote_state') continue;
      if (!use.has(p)) use.set(p, { resource: new Set(), data: new Set() });
      use.get(p)[m[1]].add(m[2]);
    }
    for (const m of fs.readFileSync(f, 'utf8').matchAll(/source\s*=\s*"hashicorp\/(\w+)"/g))
      if (!use.has(m[1])) use.set(m[1], { resource: new Set(), data: new Set() });
  }
  for (const [prov, types] of use) {
    const want = [['provider', 'provider'], ...[...types.resource].map((t) => ['resource', t]), ...[...types.data].map((t) => ['data', t])];
    const dirOf = ([k, t]) => k === 'provider' ? 'provider' : (k === 'data' ? `data-${prov}-` : '') + t.slice(prov.length + 1).replace(/_/g, '-');
    const lib = path.join(dir, 'bindings', prov);
    fs.mkdirSync(lib, { recursive: true });
    const missing = want.filter((w) => !fs.existsSync(path.join(lib, 'lib', dirOf(w), 'index.js')));
    if (missing.length) {
      let tgz = fs.readdirSync(lib).find((f) => f.endsWith('.tgz'));
      if (!tgz) {
        console.error(`fetching ${BINDINGS(prov)}`);
        execFileSync('npm', ['pack', '--silent', BINDINGS(prov)], { cwd: lib, stdio: ['ignore', 'ignore', 'inherit'] });
        tgz = fs.readdirSync(lib).find((f) => f.endsWith('.tgz'));
      }
      const names = missing.flatMap((w) => [`package/lib/${dirOf(w)}/index.js`, `package/lib/${dirOf(w)}/index.d.ts`]);
      spawnSync('tar', ['-xzf', tgz, '--strip-components=1', ...names], { cwd: lib, stdio: 'ignore' });
    }
    const schema = { resource: {}, data: {} };
    for (const w of want) {
      const d = path.join(lib, 'lib', dirOf(w));
      if (!fs.existsSync(path.join(d, 'index.js'))) { console.error(`no ${w[0]} ${w[1]} in ${BINDINGS(prov)}`); continue; }
      const s = schemaOf(d);
      if (w[0] === 'provider') schema.provider = s.block; else { schema[w[0]][w[1]] = s.block; schema.version ??= s.version; }
    }
    const version = schema.version ?? '999.0.0';
    const arch = `${os.platform()}_${{ x64: 'amd64', arm64: 'arm64' }[os.arch()]}`;
    const base = path.join(dir, 'mirror', ...address(prov).split('/'));
    fs.rmSync(base, { recursive: true, force: true });
    const at = path.join(base, version, arch);
    fs.mkdirSync(at, { recursive: true });
    fs.writeFileSync(path.join(at, 'schema.json'), JSON.stringify(schema));
    const bin = path.join(at, `terraform-provider-${prov}_v${version}_x5`);
    fs.writeFileSync(bin, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(import.meta.url)}' serve '${path.join(at, 'schema.json')}'\n`);
    fs.chmodSync(bin, 0o755);
    console.error(`${prov} ${version}: ${Object.keys(schema.resource).length} resource types, ${Object.keys(schema.data).length} data sources`);
  }
  const rc = path.join(dir, 'terraformrc');
  fs.writeFileSync(rc, `provider_installation {\n  filesystem_mirror {\n    path = "${path.join(dir, 'mirror')}"\n  }\n}\ndisable_checkpoint = true\n`);
  return { TF_CLI_CONFIG_FILE: rc, TF_DISABLE_PLUGIN_TLS: '1' };
}

function check(dir, conf, subs) {
  const env = { ...process.env, ...install(dir, [conf]), TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' };
  const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'tf-offline-'));
  let bad = 0;
  const run = (at, ...args) => {
    const r = spawnSync('terraform', args, { cwd: path.join(tmp, at), env, encoding: 'utf8' });
    console.log(`${at}: terraform ${args[0]}: ${r.status === 0 ? 'ok' : 'FAILED'}`);
    if (r.status !== 0 || args[0] === 'test') console.log(((r.stdout ?? '') + (r.stderr ?? '')).trim());
    if (r.status !== 0) bad = 1;
    return r.status === 0;
  };
  try {
    fs.cpSync(conf, tmp, { recursive: true, filter: (s) => !/(^|\/)\.terraform(\/|$|\.lock)/.test(path.relative(conf, s)) });
    run('.', 'fmt', '-check', '-recursive', '-diff');
    for (const at of subs.length ? subs : ['.'])
      if (run(at, 'init', '-backend=false', '-input=false', '-no-color') && run(at, 'validate', '-no-color') &&
          tfFiles(path.join(tmp, at)).some((f) => f.endsWith('.tftest.hcl'))) run(at, 'test', '-no-color');
  } finally { fs.rmSync(tmp, { recursive: true, force: true }); }
  process.exit(bad);
}

// ---- serve: Terraform's plugin protocol 5 over gRPC --------------------------

const varint = (n) => { const b = []; do { b.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return Buffer.from(b); };
const bytes = (f, v) => { v = Buffer.isBuffer(v) ? v : Buffer.from(v); return Buffer.concat([varint(f * 8 + 2), varint(v.length), v]); };
const num = (f, n) => n ? Buffer.concat([varint(f * 8), varint(n)]) : Buffer.alloc(0);
const encBlock = (b) => Buffer.concat([
  ...b.attributes.map((a) => bytes(2, Buffer.concat([bytes(1, a.name), bytes(2, JSON.stringify(a.type)), num(4, +!!a.required), num(5, +!!a.optional), num(6, +!!a.computed)]))),
  ...b.blocks.map((n) => bytes(3, Buffer.concat([bytes(1, n.name), bytes(2, encBlock(n.block)), num(3, n.mode), num(4, n.min), num(5, n.max)]))),
]);
const encSchema = (b) => bytes(2, encBlock(b));
const field = (buf, want) => { // the first length-delimited field number `want`
  let i = 0;
  const rd = () => { let n = 0, s = 0, c; do { c = buf[i++]; n += (c & 127) * 2 ** s; s += 7; } while (c & 128); return n; };
  while (i < buf.length) {
    const k = rd();
    if (k % 8 === 2) { const l = rd(); if (Math.floor(k / 8) === want) return buf.subarray(i, i + l); i += l; } else if (k % 8 === 0) rd(); else return null;
  }
  return null;
};

function serve(schemaFile) {
  if (process.env.TF_PLUGIN_MAGIC_COOKIE === undefined) { console.error('a Terraform plugin: terraform starts it'); process.exit(1); }
  const s = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
  const maps = (f, m) => Object.entries(m).map(([k, b]) => bytes(f, Buffer.concat([bytes(1, k), bytes(2, encSchema(b))])));
  const answers = {
    '/tfplugin5.Provider/GetSchema': () => Buffer.concat([bytes(1, encSchema(s.provider)), ...maps(2, s.resource), ...maps(3, s.data)]),
    '/tfplugin5.Provider/PrepareProviderConfig': (q) => bytes(1, field(q, 1) ?? Buffer.alloc(0)),
    '/tfplugin5.Provider/ValidateResourceTypeConfig': () => Buffer.alloc(0),
    '/tfplugin5.Provider/ValidateDataSourceConfig': () => Buffer.alloc(0),
    '/tfplugin5.Provider/Configure': () => Buffer.alloc(0),
    '/tfplugin5.Provider/UpgradeResourceState': () => Buffer.alloc(0),
    '/tfplugin5.Provider/Stop': () => Buffer.alloc(0),
    '/plugin.GRPCController/Shutdown': () => { setTimeout(() => process.exit(0), 50); return Buffer.alloc(0); },
  };
  const server = http2.createServer();
  server.on('stream', (st, h) => {
    const f = answers[h[':path']];
    st.on('error', () => {});
    if (!f) { st.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'stand-in provider: use mock_provider' }, { endStream: true }); return; }
    const got = [];
    st.on('data', (d) => got.push(d));
    st.on('end', () => {
      const out = f(Buffer.concat(got).subarray(5)), head = Buffer.alloc(5);
      head.writeUInt32BE(out.length, 1);
      st.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      st.on('wantTrailers', () => st.sendTrailers({ 'grpc-status': '0' }));
      st.end(Buffer.concat([head, out]));
    });
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`1|5|tcp|127.0.0.1:${server.address().port}|grpc|\n`));
  process.on('SIGINT', () => {});
}

const [verb, ...rest] = process.argv.slice(2);
if (verb === 'serve') serve(rest[0]);
else if (verb === 'install' && rest.length >= 2) for (const [k, v] of Object.entries(install(rest[0], rest.slice(1)))) console.log(`export ${k}=${v}`);
else if (verb === 'check' && rest.length >= 2) check(rest[0], rest[1], rest.slice(2));
else { console.error('usage: tf-offline.mjs install DIR CONFIG_DIR... | check DIR CONFIG_DIR [SUB...]'); process.exit(2); }
