package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The logs of a broker are gone from its disk, its metadata is not. */
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

  /** All partition directories but the metadata's. */
  private static void loseLogs(Path data) throws Exception {
    List<Path> logs;
    try (Stream<Path> entries = Files.list(data)) {
      logs =
          entries
              .filter(p -> p.getFileName().toString().matches(".+-[0-9]+"))
              .filter(p -> !p.getFileName().toString().startsWith("__cluster_metadata"))
              .toList();
    }
    assertThat(logs).hasSizeGreaterThanOrEqualTo(3);
    for (Path log : logs) {
      Clients.deleteTree(log);
    }
  }
}
