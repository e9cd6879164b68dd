package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Kcat;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An object is damaged or gone. A consumer reads up to it, its application is told and not made to
 * wait, no record is skipped unasked, and behind it all goes on.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DamagedHistoryTest {
  private static final long SEED = 7;
  private static final int RECORDS = 8_000;

  @TempDir Path dir;
  private BrokerProcess broker;
  private TopicPartition partition;
  private List<Path> segments;

  @BeforeEach
  void history() throws Exception {
    Path objects = dir.resolve("objects");
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", "file:" + objects);
    settings.put("strandline.cache.memory.bytes", Integer.toString(4 << 20));
    settings.put("strandline.cache.disk.bytes", "0");
    broker = BrokerProcess.start(dir.resolve("broker"), settings);
    partition = Topics.create(broker.bootstrap(), "damaged");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
      writer.awaitMore(RECORDS);
      writer.finish();
    }
    Topics.awaitReleased(broker.bootstrap(), partition, RECORDS / 2);
    try (Stream<Path> files = Files.walk(objects)) {
      segments =
          files
              .filter(f -> f.getFileName().toString().endsWith(".seg"))
              .sorted(Comparator.comparing(f -> f.getFileName().toString()))
              .toList();
    }
    assertThat(segments).hasSizeGreaterThan(3);
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
  }

  @Test
  void aDamagedObjectEndsTheReadWithAnErrorAndASeekGoesOn() throws Exception {
    try (RandomAccessFile bytes = new RandomAccessFile(segments.get(1).toFile(), "rw")) {
      bytes.seek(1_000);
      bytes.writeLong(~bytes.readLong());
    }
    isToldAndGoesOn(base(1), base(2));
  }

  @Test
  void aMissingObjectEndsTheReadWithAnErrorAndASeekGoesOn() throws Exception {
    Files.delete(segments.get(1));
    isToldAndGoesOn(base(1), base(2));
  }

  @Test
  void recordsDeletedUpToItsEndLetEverybodyGoOn() throws Exception {
    Files.delete(segments.get(1));
    long to = base(2);
    try (Admin admin = Topics.admin(broker.bootstrap())) {
      var result = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(to)));
      assertThat(result.lowWatermarks().get(partition).get().lowWatermark()).isEqualTo(to);
    }
    assertThat(Topics.offset(broker.bootstrap(), partition, OffsetSpec.earliest())).isEqualTo(to);
    try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
      reader.seekTo(to);
      reader.readTo(RECORDS);
    }
  }

  private void isToldAndGoesOn(long from, long to) throws Exception {
    try (NumberedReader reader = new NumberedReader(broker.bootstrap(), partition, SEED)) {
      for (int again = 0; again < 2; again++) {
        Throwable told = catchThrowable(() -> reader.readTo(RECORDS));
        assertThat(told)
            .isInstanceOf(KafkaException.class)
            .isNotInstanceOf(RetriableException.class)
            .hasMessageContaining("Encountered corrupt message when fetching offset " + from);
        assertThat(reader.next()).isEqualTo(from);
      }
      assertThat(broker.output())
          .contains("history is damaged from offset " + from + " to " + (to - 1));
      reader.seekTo(to);
      reader.readTo(RECORDS);
    }
    assumeTrue(Kcat.onPath());
    assertThat(Kcat.complaint(broker.bootstrap(), partition, from)).contains("Invalid message");
  }

  private long base(int segment) {
    return Long.parseLong(segments.get(segment).getFileName().toString().substring(0, 20));
  }
}
