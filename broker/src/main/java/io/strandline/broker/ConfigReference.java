package io.strandline.broker;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;

/** Writes {@code docs/configuration.md} from the tables that the server itself reads. */
final class ConfigReference {
  private static final String HEAD =
      """
      <!-- Generated from the code. To write it anew:
           mvn -q test -pl broker -am -Dtest=ConfigReferenceTest -Dsurefire.failIfNoSpecifiedTests=false -Dstrandline.docs.write=true -->
      # Configuration

      A node reads Apache Kafka's `server.properties` with Kafka's keys and meanings; keys of its own begin with
      `strandline.`. Without a file it serves `PLAINTEXT://127.0.0.1:9092` and keeps everything under `./data`.

      Later sources win: built-in defaults, the file, the environment, `--set key=value`. The variable
      `STRANDLINE_LOG_DIRS` sets `log.dirs`: the prefix goes, the rest in lower case, `_` becomes a dot, `__` an
      underscore, `___` a dash. `STRANDLINE_OBJECT_STORE` sets `strandline.object.store`: where Kafka has no such
      key, the first word of ours may be left out. `STRANDLINE_SSL_KEY_PASSWORD_FILE=/run/secrets/key` takes the value of
      `ssl.key.password` from the first line of a file.

      A value may come from elsewhere, as `${file:/etc/strandline/secrets:password}`, by Kafka's `config.providers`
      (KIP-297): so that no secret stands in the file.

      Keys that Kafka calls dynamic (KIP-226) are changed while the broker runs by `kafka-configs.sh`, and hold after a
      restart too. `num.network.threads` waits for it; `listeners` are not changed so.

      A wrong value stops the start with the key, the value and what is allowed; an unknown key is warned about.

      ## Keys of Strandline

      | key | type and range | default | meaning |
      |---|---|---|---|
      """;

  private static final String KAFKA =
      """

      ## Keys of Apache Kafka

      A node that is alone (no `controller.quorum.*` is set) takes both roles, formats its directories at the first start,
      and has defaults of its own, which go when it grows into a cluster: 1 for the replication factors and least ISRs of
      internal topics, `broker.session.timeout.ms` 3000, `broker.heartbeat.interval.ms` 500,
      `metadata.log.segment.bytes` 8 MiB, `metadata.max.retention.bytes` 32 MiB, `metadata.max.idle.interval.ms` 5000. Of
      larger clusters: [cluster.md](cluster.md).

      A controller's listener has one network thread, unless `num.network.threads` is set, for it or for all; `num.io.threads` are a controller's too.

      ### Honoured

      """;

  private static final String NOT_YET =
      """

      ### Not honoured yet

      These are accepted, and validated as Kafka does, so that a file that serves Kafka serves here; nothing of a
      broker acts on them so far. A controller, which is Kafka's, goes by `num.io.threads`, `early.start.listeners` and
      `remote.log.storage.system.enable`.

      """;

  /** Areas of Kafka's keys that something here acts on, by prefix. */
  private static final List<String> HONOURED_PREFIXES =
      List.of(
          "controller.quorum.",
          "delegation.token.",
          "metadata.",
          "offsets.",
          "group.",
          "share.coordinator.",
          "ssl.",
          "sasl.enabled.",
          "sasl.jaas.",
          "sasl.login.",
          "sasl.oauthbearer.",
          "sasl.server.",
          "sasl.mechanism.",
          "telemetry.",
          "transaction.",
          "transactional.id.",
          "config.providers",
          "metric.reporters",
          "metrics.",
          "replica.fetch.",
          "replication.quota.",
          "add.partitions.to.txn.");

  /** Single keys of Kafka's that something here acts on. */
  private static final Set<String> HONOURED =
      Set.of(
          "process.roles",
          "node.id",
          "broker.id",
          "broker.rack",
          "broker.heartbeat.interval.ms",
          "broker.session.timeout.ms",
          "initial.broker.registration.timeout.ms",
          "listeners",
          "advertised.listeners",
          "listener.security.protocol.map",
          "inter.broker.listener.name",
          "controller.listener.names",
          "log.dir",
          "log.dir.failure.timeout.ms",
          "cordoned.log.dirs",
          "num.replica.alter.log.dirs.threads",
          "max.request.partition.size.limit",
          "offset.metadata.max.bytes",
          "log.dirs",
          "log.retention.check.interval.ms",
          "log.flush.scheduler.interval.ms",
          "log.cleaner.backoff.ms",
          "log.cleaner.dedupe.buffer.size",
          "log.cleaner.io.buffer.load.factor",
          "log.cleaner.io.buffer.size",
          "log.cleaner.io.max.bytes.per.second",
          "log.cleaner.threads",
          "replica.high.watermark.checkpoint.interval.ms",
          "replica.lag.time.max.ms",
          "replica.selector.class",
          "num.replica.fetchers",
          "num.partitions",
          "num.network.threads",
          "default.replication.factor",
          "auto.create.topics.enable",
          "delete.topic.enable",
          "auto.leader.rebalance.enable",
          "leader.imbalance.check.interval.seconds",
          "controlled.shutdown.enable",
          "controller.socket.timeout.ms",
          "create.topic.policy.class.name",
          "alter.config.policy.class.name",
          "request.timeout.ms",
          "producer.id.expiration.ms",
          "producer.id.expiration.check.interval.ms",
          "socket.request.max.bytes",
          "socket.listen.backlog.size",
          "socket.send.buffer.bytes",
          "socket.receive.buffer.bytes",
          "queued.max.request.bytes",
          "max.connection.creation.rate",
          "max.connections",
          "max.connections.per.ip",
          "max.connections.per.ip.overrides",
          "connections.max.idle.ms",
          "connections.max.reauth.ms",
          "connection.failed.authentication.delay.ms",
          "authorizer.class.name",
          "client.quota.callback.class",
          "principal.builder.class",
          "security.inter.broker.protocol",
          "security.providers",
          "fetch.max.bytes",
          "metric.reporters",
          "quota.window.num",
          "quota.window.size.seconds",
          "controller.quota.window.num",
          "controller.quota.window.size.seconds",
          "remote.log.manager.copy.max.bytes.per.second",
          "remote.log.manager.fetch.max.bytes.per.second",
          "remote.list.offsets.request.timeout.ms",
          "max.incremental.fetch.session.cache.slots");

  /** Those that are beside keys of topics that something acts on. */
  private static final Set<String> PASSED_OVER = Set.of("log.preallocate");

  private ConfigReference() {}

  /** The whole document. */
  static String markdown() {
    StringBuilder out = new StringBuilder(HEAD);
    for (ConfigKey key : new TreeMap<>(ConfigKeys.TABLE.configKeys()).values()) {
      row(out, "`" + key.name + "`", BrokerConfig.allowed(key), value(key), key.documentation);
    }
    Set<String> topics = new TreeSet<>();
    ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS
        .values()
        .forEach(list -> list.forEach(synonym -> topics.add(synonym.name())));
    List<String> yes = new ArrayList<>();
    List<String> no = new ArrayList<>();
    for (ConfigKey key : new TreeMap<>(AbstractKafkaConfig.CONFIG_DEF.configKeys()).values()) {
      boolean honoured =
          !PASSED_OVER.contains(key.name)
              && (HONOURED.contains(key.name)
                  || topics.contains(key.name)
                  || HONOURED_PREFIXES.stream().anyMatch(key.name::startsWith));
      if (honoured) {
        yes.add(key.name);
      } else if (!key.internalConfig) {
        no.add(key.name);
      }
    }
    out.append(KAFKA);
    yes.forEach(name -> out.append("- `").append(name).append("`\n"));
    out.append(NOT_YET);
    no.forEach(name -> out.append("- `").append(name).append("`\n"));
    return out.toString();
  }

  private static void row(StringBuilder out, String... cells) {
    out.append('|');
    for (String cell : cells) {
      out.append(' ').append(cell.replace("|", "\\|")).append(" |");
    }
    out.append('\n');
  }

  private static String value(ConfigKey key) {
    if (key.defaultValue == null || "".equals(key.defaultValue)) {
      return "(empty)";
    }
    String text = ConfigDef.convertToString(key.defaultValue, key.type);
    return "`" + String.valueOf(text).toLowerCase(Locale.ROOT) + "`";
  }
}
