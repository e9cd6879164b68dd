package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/**
 * A host that {@code strandline-node} believes in: directories instead of the root file system,
 * programs that write down what they were called with, and an HTTP server that is the instance's
 * metadata, the object store and the node's admin endpoint.
 */
final class Host implements AutoCloseable {
  static final Path SCRIPT =
      Distribution.ROOT.resolve("deploy/terraform/modules/node/files/strandline-node");

  private static final String NVME = "Amazon EC2 NVMe Instance Storage";

  final Path root;
  private final HttpServer server;
  private final Map<String, String> answers = new ConcurrentHashMap<>();
  private final Map<String, String> stored = new ConcurrentHashMap<>();
  private final Map<String, String> authorizations = new ConcurrentHashMap<>();
  private final AtomicInteger lost = new AtomicInteger();
  private volatile boolean readable = true;
  private final Map<String, String> node = new LinkedHashMap<>();
  private final Map<String, String> more = new LinkedHashMap<>();

  Host(Path root) throws IOException {
    this.root = Files.createDirectories(root);
    for (String directory : List.of("bin", "etc", "opt", "local", "data", "units", "dev")) {
      Files.createDirectories(root.resolve(directory));
    }
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
    // What asks no questions here.
    for (String program : List.of("systemctl", "chown", "useradd", "mount", "mkfs.xfs", "mdadm")) {
      program(program, "");
    }
    program("id", "");
    program("mountpoint", "exit 1");
    program("blkid", "exit 2");
    program("aws", "");
    program("sleep", "");
    program("runuser", "shift 3; exec \"$@\"");
    java("21.0.1");
    memory(16384);
    // Nobody here may give files away.
    program(
        "install",
        "args=(); while [ $# -gt 0 ]; do case $1 in -o|-g) shift 2;; *) args+=(\"$1\"); shift;; esac; done; exec /usr/bin/install \"${args[@]}\"");
    set("CLUSTER", "orders", "CLUSTER_ID", "YQcmKIsMQ56fnvkMuoVf-w", "PLATFORM", "aws");
    set("REGION", "eu-central-1", "CREDENTIALS", "", "SECRETS", "", "HEAP", "", "CLAIMS_URL", "");
    set(
        "JAVA_OPTS",
        "-Dx=y",
        "DIRECT_MB",
        "2304",
        "OWN_PORT",
        "9091",
        "DRAIN_PATIENCE",
        "1",
        "PUBLISH",
        "false");
    set("VOTERS", "", "DISK", "directory", "ADMIN_PORT", Integer.toString(port()));
    metadata("local-ipv4", "10.1.2.3");
    metadata("placement/availability-zone", "zone-b");
    metadata("instance-id", "i-1");
    metadata("tags/instance/StrandlineNodeId", "7");
    metadata("tags/instance/StrandlineGroup", "orders-broker-7");
    properties("node.id=@NODE_ID@\nbroker.rack=@RACK@\nadvertised.listeners=X://@ADDRESS@:1\n");
  }

  int port() {
    return server.getAddress().getPort();
  }

  /** Variables of node.env, by turns with their values. */
  void set(String... pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      node.put(pairs[i], pairs[i + 1]);
    }
  }

  /** A variable of the environment of whatever runs here. */
  void with(String variable, String value) {
    more.put(variable, value);
  }

  void properties(String text) throws IOException {
    Files.writeString(root.resolve("etc/server.properties.in"), text);
  }

  /** What the instance's metadata says, 404 for all else. */
  void metadata(String path, String value) {
    answers.put("/latest/meta-data/" + path, value);
  }

  /** What the node's admin endpoint says. */
  void admin(String path, String value) {
    answers.put(path, value);
  }

  /** What was put into the object store. */
  Map<String, String> stored() {
    return stored;
  }

  /** The object store does what it is asked so many times, and its answer is lost. */
  void loseAnswers(int count) {
    lost.set(count);
  }

  /** The key may not read what lies in the object store. */
  void unreadable() {
    readable = false;
  }

  /** Who asked for a path last, as its header said. */
  String authorization(String path) {
    return authorizations.getOrDefault(path, "");
  }

  /** A Java that says to be of a version, and is the one that runs this. */
  void java(String version) throws IOException {
    program(
        "java",
        "case $* in -version) echo 'openjdk version \""
            + version
            + "\"' >&2;; *) exec '"
            + Path.of(System.getProperty("java.home"), "bin", "java")
            + "' \"$@\";; esac");
  }

  /** Disks of the instance's own, beside its root. */
  void disks(String... names) throws IOException {
    StringBuilder lines = new StringBuilder("cat << END\n/dev/root Amazon Elastic Block Store\n");
    for (String name : names) {
      Path device = root.resolve("dev").resolve(name);
      Files.writeString(device, "");
      lines.append(device).append(' ').append(NVME).append('\n');
    }
    program("lsblk", lines + "END");
  }

  /** How much memory the host says it has. */
  void memory(int mib) throws IOException {
    Files.writeString(root.resolve("meminfo"), "MemTotal: " + mib * 1024L + " kB\nMemFree: 1 kB\n");
  }

  /** A program of this host: it writes down its call, then does as the text says. */
  void program(String name, String text) throws IOException {
    Path program = root.resolve("bin").resolve(name);
    Files.writeString(
        program,
        "#!/bin/bash\nprintf '%s\\n' \"" + name + " $*\" >> '" + calls() + "'\n" + text + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** The launcher, as a program. */
  void launcher(String text) throws IOException {
    program("launcher", text);
    Path home = Files.createDirectories(root.resolve("opt/strandline/bin"));
    Files.deleteIfExists(home.resolve("strandline"));
    Files.createSymbolicLink(home.resolve("strandline"), root.resolve("bin/launcher"));
  }

  Path calls() {
    return root.resolve("calls");
  }

  /** Calls so far that begin so. */
  List<String> called(String prefix) throws IOException {
    if (!Files.exists(calls())) {
      return new ArrayList<>();
    }
    return Files.readAllLines(calls()).stream().filter(c -> c.startsWith(prefix)).toList();
  }

  String file(String name) throws IOException {
    return Files.readString(root.resolve(name));
  }

  /** Runs a verb of strandline-node, which must end well. */
  String run(String... verb) throws Exception {
    Commands.Ended ended = attempt(verb);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    return ended.output();
  }

  Commands.Ended attempt(String... verb) throws Exception {
    Files.writeString(
        root.resolve("etc/node.env"),
        node.entrySet().stream()
            .map(e -> e.getKey() + "='" + e.getValue() + "'\n")
            .collect(Collectors.joining()));
    List<String> command = new ArrayList<>(List.of("bash", SCRIPT.toString()));
    command.addAll(List.of(verb));
    return Commands.run(root, environment(), command);
  }

  /** Of whatever runs on this host. */
  Map<String, String> environment() {
    Map<String, String> all = new LinkedHashMap<>(more);
    all.putAll(
        Map.of(
            "PATH", root.resolve("bin") + ":" + System.getenv("PATH"),
            "STRANDLINE_ETC", root.resolve("etc").toString(),
            "STRANDLINE_OPT", root.resolve("opt").toString(),
            "STRANDLINE_BIN", root.resolve("local").toString(),
            "STRANDLINE_DATA", root.resolve("data").toString(),
            "STRANDLINE_UNITS", root.resolve("units").toString(),
            "STRANDLINE_DEFAULTS", root.resolve("default").toString(),
            "STRANDLINE_MEMINFO", root.resolve("meminfo").toString(),
            "STRANDLINE_IMDS", "http://127.0.0.1:" + port()));
    return all;
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    int status = 200;
    String said = answers.getOrDefault(path, "");
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    if (authorization != null) {
      authorizations.put(path, authorization);
    }
    if (path.equals("/latest/api/token")) {
      said = "token";
    } else if (path.startsWith("/bucket/")) {
      status = store(exchange, path, body);
      said = status == 200 && !put(exchange) ? stored.getOrDefault(path, "") : "";
      if (put(exchange) && lost.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        exchange.close();
        return;
      }
    } else if (path.startsWith("/latest/")
        && !"token".equals(exchange.getRequestHeaders().getFirst("X-aws-ec2-metadata-token"))) {
      status = 401;
    } else if (!answers.containsKey(path)) {
      status = 404;
    }
    byte[] bytes = said.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static boolean put(HttpExchange exchange) {
    return exchange.getRequestMethod().equals("PUT");
  }

  /** A store's answer to a signed PUT that creates, or a signed GET. */
  private int store(HttpExchange exchange, String path, String body) {
    String signed = exchange.getRequestHeaders().getFirst("Authorization");
    boolean create = "*".equals(exchange.getRequestHeaders().getFirst("If-None-Match"));
    if (signed == null
        || !signed.startsWith("AWS4-HMAC-SHA256 Credential=key/")
        || create != put(exchange)
        || !(create || readable)) {
      return 403;
    }
    if (create) {
      return stored.putIfAbsent(path, body) == null ? 200 : 412;
    }
    return stored.containsKey(path) ? 200 : 404;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
