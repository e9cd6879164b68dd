package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.BrokerConfig;
import io.strandline.broker.Strandline;
import io.strandline.broker.control.ControlException;
import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The logs of a broker are gone from its disk, its metadata is not; and the other way round. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class LostLogTest {
  @TempDir Path dir;

  @Test
  void aLostLogGoesOnAtTheEndOfItsTierAndGroupsComeBack() throws Exception {
    Path objects = dir.resolve("objects");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings(objects))) {
      String at = broker.bootstrap();
      Clients.create(at, "orders", 1, Map.of("segment.bytes", "1048576"));
      Clients.create(at, "empty", 1, Map.of());
      try (KafkaProducer<String, String> idempotent = Clients.producer(at)) {
        for (int i = 0; i < 3_000; i++) {
          var unused = idempotent.send(Clients.record("orders", i));
        }
        idempotent.flush();
      }
      assertThat(Clients.consume(at, "readers", "orders", 500)).hasSize(500);
      Clients.until(
          "two segments in the tier",
          () -> Clients.offset(at, "orders", OffsetSpec.latestTiered()) >= 1_800);
      Clients.until(
          "the group's offsets in the tier",
          () -> Clients.offset(at, "__consumer_offsets", OffsetSpec.latestTiered()) >= 500);
      long tiered = Clients.offset(at, "orders", OffsetSpec.latestTiered()) + 1;
      broker.kill();
      loseLogs(broker.dir().resolve("data"));
      broker.startAgain();
      Clients.until("the lost logs", () -> broker.metric("strandline_partition_refilling") == 0);
      long end = Clients.offset(at, "orders", OffsetSpec.latest());
      assertThat(end).isEqualTo(tiered);
      assertThat(Clients.offset(at, "orders", OffsetSpec.earliestLocal())).isEqualTo(end);
      assertThat(Clients.committed(at, "readers", "orders")).isEqualTo(500);
      int cut = (int) end;
      Clients.produce(at, "orders", 100_000, 100_010);
      TreeMap<Long, Integer> all = Clients.read(at, "orders", 0);
      assertThat(all.headMap(end).values())
          .containsExactlyElementsOf(IntStream.range(0, cut).boxed().toList());
      assertThat(all.tailMap(end).values())
          .containsExactlyElementsOf(IntStream.range(100_000, 100_010).boxed().toList());
      assertThat(Clients.consume(at, "readers", "orders", 1)).containsExactly(500);
      assertThat(Clients.offset(at, "empty", OffsetSpec.latest())).isZero();
      broker.kill();
      broker.startAgain();
      assertThat(Clients.offset(at, "orders", OffsetSpec.earliest())).isZero();
      assertThat(Clients.read(at, "orders", 0)).isEqualTo(all);
    }
  }

  /** Else it would be an empty cluster to which the logs and their history belong. */
  @Test
  void aNodeAloneThatLostItsMetadataAloneDoesNotBeginAnew() throws Exception {
    Path first = dir.resolve("first");
    Path second = dir.resolve("second");
    Map<String, String> settings = alone(first, second);
    try (Strandline node = Strandline.start(BrokerConfig.of(settings))) {
      String at = "127.0.0.1:" + node.port("PLAINTEXT");
      Clients.create(at, "orders", 2, Map.of());
      Clients.produce(at, "orders", 0, 10);
    }
    assertThat(logs(second)).as("spread over both").isNotEmpty();
    Clients.deleteTree(first); // its disk is replaced by an empty one
    Files.createDirectory(first);
    TreeMap<String, Long> left = files(second);
    assertThatThrownBy(() -> Strandline.start(BrokerConfig.of(settings)).close())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining(first + ", the directory of the metadata, is empty")
        .hasMessageContaining("strandline tier restore cluster");
    assertThat(files(second)).isEqualTo(left);
    assertThat(first.resolve("meta.properties")).doesNotExist();
  }

  /** As a first start leaves it that is killed between two directories. */
  @Test
  void aFirstStartThatWasCutBeforeTheMetadataIsMadeUpFor() throws Exception {
    Path first = dir.resolve("first");
    Path second = dir.resolve("second");
    Map<String, String> settings = alone(first, second);
    Strandline.start(BrokerConfig.of(settings)).close();
    String id = Files.readString(second.resolve("meta.properties"));
    Clients.deleteTree(first);
    leave(second, Set.of("meta.properties", "bootstrap.checkpoint"));
    try (Strandline node = Strandline.start(BrokerConfig.of(settings))) {
      String at = "127.0.0.1:" + node.port("PLAINTEXT");
      Clients.create(at, "orders", 2, Map.of());
      Clients.produce(at, "orders", 0, 10);
      assertThat(Clients.read(at, "orders", 0)).hasSize(10);
    }
    assertThat(Files.readString(second.resolve("meta.properties"))).isEqualTo(id);
  }

  private static void leave(Path directory, Set<String> names) throws Exception {
    List<Path> others;
    try (Stream<Path> all = Files.list(directory)) {
      others = all.filter(entry -> !names.contains(entry.getFileName().toString())).toList();
    }
    for (Path entry : others) {
      Clients.deleteTree(entry);
    }
  }

  private static TreeMap<String, Long> files(Path directory) throws Exception {
    try (Stream<Path> all = Files.walk(directory)) {
      TreeMap<String, Long> sizes = new TreeMap<>();
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        sizes.put(file.toString(), Files.size(file));
      }
      return sizes;
    }
  }

  private static Map<String, String> settings(Path objects) {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", "file:" + objects);
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.gather.ms", "0");
    settings.put("strandline.tier.reclaim.ms", "1000");
    settings.put("strandline.internal.backup.ms", "1000");
    settings.put("offsets.topic.num.partitions", "1");
    return settings;
  }

  /** A node in this process, on two directories. */
  private Map<String, String> alone(Path first, Path second) {
    Map<String, String> settings = settings(dir.resolve("objects"));
    settings.put("log.dirs", first + "," + second);
    settings.put("listeners", "PLAINTEXT://127.0.0.1:0");
    settings.put("strandline.admin.listener", "off");
    return settings;
  }

  /** All partition directories but the metadata's. */
  private static void loseLogs(Path data) throws Exception {
    List<Path> logs = logs(data);
    assertThat(logs).hasSizeGreaterThanOrEqualTo(3);
    for (Path log : logs) {
      Clients.deleteTree(log);
    }
  }

  private static List<Path> logs(Path data) throws Exception {
    try (Stream<Path> entries = Files.list(data)) {
      return entries
          .filter(p -> p.getFileName().toString().matches(".+-[0-9]+"))
          .filter(p -> !p.getFileName().toString().startsWith("__cluster_metadata"))
          .toList();
    }
  }
}
