package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.guard.identity.SecurityKeys;
import io.strandline.broker.history.HistoryKeys;
import io.strandline.broker.log.check.BatchKeys;
import io.strandline.broker.log.check.LogKeys;
import io.strandline.broker.mount.MountKeys;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.restore.BackupKeys;
import io.strandline.broker.store.RewriteKeys;
import io.strandline.broker.store.ScrubKeys;
import io.strandline.broker.telemetry.TelemetryKeys;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.provider.FileConfigProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BrokerConfigTest {
  @Test
  void withoutAnythingTheNodeIsTheEmbeddedDefault() {
    BrokerConfig config = BrokerConfig.of(Map.of());
    assertThat(config.kafka())
        .containsOnly(
            Map.entry("listeners", "PLAINTEXT://127.0.0.1:9092"), Map.entry("log.dirs", "./data"));
    assertThat(config.unknown()).isEmpty();
    assertThat(config.dataDirectory()).isEqualTo(Path.of("./data"));
    assertThat(config.objectStore()).isEqualTo("file:./data/strandline/objects");
    assertThat(config.cacheDirectory()).isEqualTo(Path.of("./data/strandline/cache"));
    assertThat(config.adminListener()).hasToString("Optional[/127.0.0.1:9644]");
    assertThat(config.on(ConfigKeys.TIER_ENABLE)).isTrue();
    assertThat(config.number(ConfigKeys.CACHE_MEMORY_BYTES)).isEqualTo(128L << 20);
    assertThat(config.number(ConfigKeys.CACHE_DISK_BYTES)).isEqualTo(1L << 30);
    assertThat(config.on(ConfigKeys.VALIDATION_WALK)).isTrue();
    assertThat(config.on(ConfigKeys.VALIDATION_STRICT)).isFalse();
    assertThat(config.number(ConfigKeys.IN_FLIGHT_BYTES)).isEqualTo(256L << 20);
    assertThat(config.text(ConfigKeys.LOG_FORMAT)).isEqualTo("console");
    assertThat(config.text(ConfigKeys.LOG_LEVEL)).isEqualTo("info");
  }

  @Test
  void everyKeyOfOursCanBeSetAndReadBack() {
    Map<String, String> all = new HashMap<>();
    all.put(ConfigKeys.OBJECT_STORE, "s3://bucket/prefix?region=eu-west-1");
    all.put(ConfigKeys.TIER_ENABLE, "false");
    all.put(ConfigKeys.CACHE_MEMORY_BYTES, "2097152");
    all.put(ConfigKeys.CACHE_DISK_BYTES, "0");
    all.put(ConfigKeys.CACHE_DIRECTORY, "/nvme/cache");
    all.put(ConfigKeys.VALIDATION_WALK, "false");
    all.put(ConfigKeys.VALIDATION_STRICT, "true");
    all.put(ConfigKeys.IN_FLIGHT_BYTES, "1048577");
    all.put(ConfigKeys.ADMIN_LISTENER, "off");
    all.put(ConfigKeys.LOG_FORMAT, "json");
    all.put(ConfigKeys.LOG_LEVEL, "debug");
    all.put(ConfigKeys.STORE_SINGLE_WRITER, "true");
    Map<String, String> numbers = new HashMap<>();
    numbers.put(ConfigKeys.STORE_TIMEOUT_MS, "5000");
    numbers.put(ConfigKeys.STORE_ATTEMPTS, "3");
    numbers.put(ConfigKeys.STORE_READS, "7");
    numbers.put(ConfigKeys.STORE_WRITES, "8");
    numbers.put(ConfigKeys.STORE_BYTES, "2097153");
    numbers.put(ConfigKeys.TIER_CHECK_MS, "11");
    numbers.put(ConfigKeys.TIER_RECLAIM_MS, "12");
    numbers.put(ConfigKeys.TIER_GRACE_MS, "13");
    numbers.put(ConfigKeys.TIER_UPLOADS, "2");
    numbers.put(ConfigKeys.TIER_UPLOAD_BYTES, "1048578");
    numbers.put(SpaceConfig.FEW_BYTES, "19");
    numbers.put(SpaceConfig.FEW_MS, "20");
    numbers.put(ConfigKeys.TIER_GATHER_BYTES, "21");
    numbers.put(ConfigKeys.TIER_GATHER_MS, "22");
    numbers.put(RewriteKeys.COMPACTION_GET_BYTES, "1048581");
    numbers.put(RewriteKeys.MERGE_BYTES, "1048582");
    numbers.put(ConfigKeys.REPLAY_BUDGET_BYTES, "1048579");
    numbers.put(ConfigKeys.REPLAY_BATCH_BYTES, "1048577");
    numbers.put(ConfigKeys.REPLAY_GET_BYTES, "1048580");
    numbers.put(ConfigKeys.REPLAY_STALE_MS, "14");
    numbers.put(ConfigKeys.REQUESTS_PER_CONNECTION, "15");
    numbers.put(ConfigKeys.UNSENT_BYTES, "1025");
    numbers.put(ConfigKeys.INLINE_BYTES, "16");
    numbers.put(ConfigKeys.COPY_BYTES, "17");
    numbers.put(LogKeys.HOT_WINDOW_BYTES, "18");
    numbers.put(LogKeys.OPEN_SEGMENTS, "2001");
    numbers.put(BackupKeys.INTERNAL_BACKUP_MS, "60001");
    numbers.put(BackupKeys.METADATA_BACKUP_MS, "60002");
    numbers.put(BackupKeys.METADATA_BACKUP_COUNT, "25");
    numbers.put(MountKeys.REFRESH_MS, "60003");
    numbers.put(MountKeys.COPY_BYTES, "26");
    numbers.put(BatchKeys.DECODED_BYTES, "1048583");
    numbers.put(BatchKeys.RECORDS, "27");
    numbers.put(SecurityKeys.RELOAD_MS, "2001");
    numbers.put(TelemetryKeys.CLIENTS_MAX, "28");
    numbers.put(HistoryKeys.LEADER_FETCH_BYTES, "1048584");
    all.put(HistoryKeys.REPLAY_BROKER, "true");
    all.put(HistoryKeys.COORDINATOR_LISTENER, "HOT");
    all.put(HistoryKeys.LISTENER, "REPLAY");
    all.put(MountKeys.STORES, "file:/another");
    numbers.put(ScrubKeys.LIST_MS, "1001");
    numbers.put(ScrubKeys.BYTES, "23");
    numbers.put(ScrubKeys.ROUND_MS, "1002");
    numbers.put(ScrubKeys.GRACE_MS, "24");
    all.put(ScrubKeys.VERSIONS, "delete");
    all.put(ConfigKeys.TIER_RECOMPRESS, "logs-*:3");
    all.put(SpaceConfig.HIGH, "85%");
    all.put(SpaceConfig.LOW, "80%");
    all.put(SpaceConfig.RESERVE, "1000000");
    all.put(ConfigKeys.ENCRYPTION_KEYRING, "/etc/strandline/keys");
    all.putAll(numbers);
    assertThat(all.keySet()).isEqualTo(ConfigKeys.TABLE.names());

    BrokerConfig config = BrokerConfig.of(all);
    assertThat(config.objectStore()).isEqualTo("s3://bucket/prefix?region=eu-west-1");
    assertThat(config.on(ConfigKeys.STORE_SINGLE_WRITER)).isTrue();
    numbers.forEach(
        (key, value) -> assertThat(config.number(key)).as(key).isEqualTo(Long.parseLong(value)));
    assertThat(config.on(ConfigKeys.TIER_ENABLE)).isFalse();
    assertThat(config.number(ConfigKeys.CACHE_MEMORY_BYTES)).isEqualTo(2097152);
    assertThat(config.number(ConfigKeys.CACHE_DISK_BYTES)).isZero();
    assertThat(config.cacheDirectory()).isEqualTo(Path.of("/nvme/cache"));
    assertThat(config.on(ConfigKeys.VALIDATION_WALK)).isFalse();
    assertThat(config.on(ConfigKeys.VALIDATION_STRICT)).isTrue();
    assertThat(config.number(ConfigKeys.IN_FLIGHT_BYTES)).isEqualTo(1048577);
    assertThat(config.adminListener()).isEmpty();
    assertThat(config.text(ConfigKeys.LOG_FORMAT)).isEqualTo("json");
    assertThat(config.text(ConfigKeys.LOG_LEVEL)).isEqualTo("debug");
  }

  @Test
  void laterSourcesWin(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("server.properties");
    Files.writeString(file, "num.partitions=1\nlog.dirs=/file\nlog.retention.ms=1\nnode.id=4\n");
    BrokerConfig config =
        BrokerConfig.load(
            Optional.of(file),
            Map.of(
                "STRANDLINE_NUM_PARTITIONS", "2",
                "STRANDLINE_LOG_DIRS", "/environment",
                "STRANDLINE_HEAP", "1g",
                "HOME", "/root"),
            Map.of("num.partitions", "3"));
    assertThat(config.kafka())
        .containsEntry("num.partitions", "3")
        .containsEntry("log.dirs", "/environment")
        .containsEntry("log.retention.ms", "1")
        .containsEntry("node.id", "4");
    assertThat(config.unknown()).isEmpty();
  }

  @Test
  void variablesNameKeys() {
    assertThat(BrokerConfig.key("STRANDLINE_LOG_DIRS")).isEqualTo("log.dirs");
    assertThat(BrokerConfig.key("STRANDLINE_OBJECT_STORE")).isEqualTo("strandline.object.store");
    assertThat(BrokerConfig.key("STRANDLINE_STRANDLINE_OBJECT_STORE"))
        .isEqualTo("strandline.object.store");
    assertThat(BrokerConfig.key("STRANDLINE_LISTENER_NAME_MY__ONE_X___Y"))
        .isEqualTo("listener.name.my_one.x-y");
  }

  @Test
  void variablesMayNameFilesThatHoldTheValue(@TempDir Path dir) throws Exception {
    Path secret = dir.resolve("secret");
    Files.writeString(secret, "open sesame\n");
    Map<String, String> environment =
        Map.of(
            "STRANDLINE_SSL_KEY_PASSWORD_FILE",
            secret.toString(),
            "STRANDLINE_LISTENER_NAME_A_SASL_OAUTHBEARER_ASSERTION_FILE",
            "/a/token");
    assertThat(BrokerConfig.load(Optional.empty(), environment, Map.of()).kafka())
        .containsEntry("ssl.key.password", "open sesame")
        .containsEntry("listener.name.a.sasl.oauthbearer.assertion.file", "/a/token")
        .doesNotContainKey("ssl.key.password.file");
    for (Map<String, String> wrong :
        List.of(
            Map.of("STRANDLINE_SSL_KEY_PASSWORD_FILE", dir.resolve("none").toString()),
            Map.of(
                "STRANDLINE_SSL_KEY_PASSWORD_FILE",
                secret.toString(),
                "STRANDLINE_SSL_KEY_PASSWORD",
                "x"))) {
      assertThatThrownBy(() -> BrokerConfig.load(Optional.empty(), wrong, Map.of()))
          .isInstanceOf(ConfigError.class)
          .hasMessageContaining("STRANDLINE_SSL_KEY_PASSWORD_FILE");
    }
  }

  @Test
  void whatIsKeptOutsideTheHeapFitsWhatThereIs() {
    BrokerConfig small =
        BrokerConfig.load(Optional.empty(), Map.of("STRANDLINE_DIRECT", "200m"), Map.of());
    long kept =
        small.number(ConfigKeys.CACHE_MEMORY_BYTES) + small.number(ConfigKeys.IN_FLIGHT_BYTES);
    assertThat(kept).isBetween(50L << 20, 150L << 20);
    assertThat(small.kafkaNumber("socket.request.max.bytes")).isEqualTo(100 << 20);
    BrokerConfig usual = BrokerConfig.of(Map.of());
    for (String given : List.of("1g", "")) {
      BrokerConfig same =
          BrokerConfig.load(Optional.empty(), Map.of("STRANDLINE_DIRECT", given), Map.of());
      for (String key :
          List.of(
              ConfigKeys.CACHE_MEMORY_BYTES, ConfigKeys.IN_FLIGHT_BYTES, ConfigKeys.STORE_BYTES)) {
        assertThat(same.number(key)).as("%s with '%s'", key, given).isEqualTo(usual.number(key));
      }
    }
    BrokerConfig large =
        BrokerConfig.load(
            Optional.empty(),
            Map.of("STRANDLINE_DIRECT", "3G"),
            Map.of(ConfigKeys.STORE_BYTES, "1048576"));
    assertThat(large.number(ConfigKeys.CACHE_MEMORY_BYTES))
        .isEqualTo((128 << 20) + 1536L * 1048576);
    assertThat(large.number(ConfigKeys.STORE_BYTES)).as("given").isEqualTo(1048576);
    assertThatThrownBy(
            () -> BrokerConfig.load(Optional.empty(), Map.of("STRANDLINE_DIRECT", "x"), Map.of()))
        .isInstanceOf(ConfigError.class);
  }

  @Test
  void wrongValuesAreAllNamedWithWhatIsAllowed() {
    assertThatThrownBy(
            () ->
                BrokerConfig.of(
                    Map.of(
                        "num.partitions", "many",
                        "log.cleanup.policy", "burn",
                        "strandline.cache.disk.bytes", "-1",
                        "strandline.object.store", "ftp://somewhere",
                        "strandline.admin.listener", "9644")))
        .isInstanceOf(ConfigError.class)
        .hasMessageContaining("num.partitions=many is not allowed: int, [1,...]")
        .hasMessageContaining("log.cleanup.policy=burn is not allowed: list, ")
        .hasMessageContaining("strandline.cache.disk.bytes=-1 is not allowed: long, [0,...]")
        .hasMessageContaining("strandline.object.store=ftp://somewhere is not allowed")
        .hasMessageContaining("strandline.admin.listener=9644 is not allowed: string, host:port");
  }

  @Test
  void secretsAreNotRepeated() {
    assertThat(BrokerConfig.of(Map.of("ssl.keystore.password", "hush")).kafka())
        .containsEntry("ssl.keystore.password", "hush");
  }

  @Test
  void aValueMayComeFromElsewhere(@TempDir Path dir) throws Exception {
    Path secrets = Files.writeString(dir.resolve("secrets"), "store=hush\nwhere=127.0.0.1:7\n");
    Map<String, String> given =
        Map.of(
            "config.providers",
            "file",
            "config.providers.file.class",
            FileConfigProvider.class.getName(),
            "ssl.keystore.password",
            "${file:" + secrets + ":store}",
            "strandline.admin.listener",
            "${file:" + secrets + ":where}");
    BrokerConfig config = BrokerConfig.of(given);
    assertThat(config.kafka()).containsEntry("ssl.keystore.password", "hush");
    assertThat(config.text("strandline.admin.listener")).isEqualTo("127.0.0.1:7");
    Files.delete(secrets);
    assertThatThrownBy(() -> BrokerConfig.of(given))
        .isInstanceOf(ConfigError.class)
        .hasMessageContaining("config.providers");
  }

  @Test
  void unknownKeysAreKeptApart() {
    BrokerConfig config =
        BrokerConfig.of(
            Map.of("log.retention.hour", "1", "strandline.nonesuch", "1", "super.users", "User:a"));
    assertThat(config.unknown()).containsExactly("log.retention.hour", "strandline.nonesuch");
  }

  @Test
  void aFileThatIsNotThereIsAnError(@TempDir Path dir) {
    assertThatThrownBy(
            () -> BrokerConfig.load(Optional.of(dir.resolve("none")), Map.of(), Map.of()))
        .isInstanceOf(ConfigError.class)
        .hasMessageContaining("none");
  }
}
