package io.strandline.tests.fuzz;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.check.LeaderBatch;
import io.strandline.broker.log.check.LeaderCheck;
import io.strandline.broker.log.check.LogMeters;
import io.strandline.tiering.segment.BatchBounds;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.RecordValidationException;

/** What a client hands in as a batch, on the fast path and through Kafka's validator. */
final class LeaderCheckTarget implements FuzzTarget {
  private static final long NOW_MS = 1_700_000_000_000L;

  private static final List<LogConfig> CONFIGS =
      List.of(
          new LogConfig(Map.of()),
          new LogConfig(Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, "compact")),
          new LogConfig(Map.of(TopicConfig.COMPRESSION_TYPE_CONFIG, "lz4")),
          new LogConfig(Map.of(TopicConfig.COMPRESSION_TYPE_CONFIG, "uncompressed")),
          new LogConfig(Map.of(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime")));

  private final LeaderCheck check =
      new LeaderCheck(
          new TopicPartition("orders", 0),
          true,
          false,
          BatchBounds.defaults(),
          new LogMeters(new SimpleMeterRegistry()));

  @Override
  public String name() {
    return "leaderCheck";
  }

  /** Which config, then the batch. */
  @Override
  public byte[] input(Random chance) {
    byte[] batch = Batches.any(new Batches.Place(0, 0, NOW_MS), chance);
    if (chance.nextInt(10) == 0) {
      batch = Mutations.some(batch, chance);
    }
    return ByteBuffer.allocate(1 + batch.length)
        .put((byte) chance.nextInt(CONFIGS.size()))
        .put(batch)
        .array();
  }

  @Override
  public void decode(byte[] input) {
    LogConfig config = CONFIGS.get(input[0]);
    MemoryRecords records =
        MemoryRecords.readableRecords(ByteBuffer.wrap(input, 1, input.length - 1).slice());
    LeaderCheck.From from = new LeaderCheck.From(5, AppendOrigin.CLIENT);
    LeaderCheck.Checked checked = check.check(LeaderBatch.of(records), from, config, 1_000, NOW_MS);
    RecordBatch batch = checked.batch();
    if (batch.baseOffset() != 1_000
        || batch.lastOffset() < 1_000
        || batch.lastOffset() - 1_000 != batch.countOrNull() - 1
        || batch.partitionLeaderEpoch() != 5
        || !batch.isValid()) {
      throw new AssertionError("let through: " + batch);
    }
  }

  @Override
  public boolean promises(Throwable failure) {
    return failure instanceof ApiException || failure instanceof RecordValidationException;
  }

  @Override
  public Allowance allowance() {
    return Batches.DECODED;
  }
}
