package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.upload.UploadIntent;
import io.strandline.tiering.upload.UploadIntents;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A broker that leads more partitions than anybody writes to. */
class ManyPartitionsTest {
  private static final int PARTITIONS = 10_000;

  @Test
  void partitionsThatNobodyTouchesCostTheStoreNothing(@TempDir Path directory) throws Exception {
    TestTier tier = new TestTier(directory, 1);
    List<StoreCall> calls = tier.recordCalls();
    List<TestHotLog> logs = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      logs.add(new TestHotLog(directory.resolve("logs"), i));
      tier.join(logs.get(i), 1, new TierPolicy(-1, -1, 0, 0, true));
    }
    assertThat(calls).as("before the first turn").isEmpty();

    tier.time.advance(5_000);
    assertThat(calls).as("after many turns").isEmpty();

    TestHotLog touched = logs.get(PARTITIONS / 2).seal(1, 20);
    tier.time.advance(5_000);
    assertThat(calls).as("one has a segment").isNotEmpty().hasSizeLessThan(20);
    assertThat(tier.entries(touched.partition())).hasSize(1);
  }

  @Test
  void afterAStartManifestsAreOpenedAFewASecond(@TempDir Path directory) throws Exception {
    int partitions = 1_000;
    TestTier tier = new TestTier(directory, 1);
    TierPolicy policy = new TierPolicy(-1, -1, 0, 0, false);
    List<TestHotLog> logs = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      logs.add(new TestHotLog(directory.resolve("logs"), i).seal(i, 1));
      tier.join(logs.get(i), 1, policy);
    }
    tier.time.advance(120_000);
    assertThat(logs).as("tiered and released").allMatch(log -> log.segments().isEmpty());

    tier.crash();
    List<StoreCall> calls = tier.recordCalls();
    for (TestHotLog log : logs) {
      tier.join(log, 2, policy);
    }
    assertThat(calls).as("before the first turn").isEmpty();
    tier.time.advance(2_000);
    assertThat(calls).as("of the first hundred").hasSizeBetween(100, 150 * 4);
    tier.time.advance(8_000);
    assertThat(calls).as("twenty-five a second").hasSizeLessThan(350 * 4);
    tier.time.advance(60_000);
    assertThat(logs).allMatch(log -> tier.pipeline.progress(log.partition()).isPresent());
  }

  @Test
  void whoWantsRoomIsOpenedAtOnce(@TempDir Path directory) throws Exception {
    TestTier tier = new TestTier(directory, 1);
    List<TestHotLog> logs = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      logs.add(new TestHotLog(directory.resolve("logs"), i).seal(i, 1));
      tier.join(logs.get(i), 1, new TierPolicy(-1, -1, 0, 0, false));
    }
    tier.now(tier.pipeline.relieve(partition -> true, Long.MAX_VALUE));
    tier.time.advance(3_000);
    assertThat(logs).as("tiered and released").allMatch(log -> log.segments().isEmpty());
  }

  @Test
  void uploadsLeftOpenByADeadProcessAreLookedAtAFewAtATime(@TempDir Path directory)
      throws Exception {
    TestTier tier = new TestTier(directory, 1);
    Path file = directory.resolve("intents");
    try (UploadIntents intents = UploadIntents.open(file)) {
      for (int i = 0; i < 500; i++) {
        TopicIdPartition partition = new TopicIdPartition(new Uuid(7, 9), i, "trips");
        SegmentId id = SegmentId.of(partition, 0, i);
        intents.begin(new UploadIntent(partition, id.key(), 1, 0, 10, tier.time.millis()));
      }
    }
    tier.crash();
    List<StoreCall> calls = tier.recordCalls();
    tier.time.advance(50_000);
    assertThat(calls).as("while partitions join").isEmpty();
    tier.time.advance(20_000);
    assertThat(calls).as("of a hundred").hasSizeBetween(100, 300);
    tier.time.advance(27 * TestTier.HOUR_MS);
    try (UploadIntents intents = UploadIntents.open(file)) {
      assertThat(intents.open()).as("after the grace").isEmpty();
    }
  }
}
