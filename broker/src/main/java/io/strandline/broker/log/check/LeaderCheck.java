package io.strandline.broker.log.check;

import io.strandline.tiering.segment.BatchBounds;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.server.record.BrokerCompressionType;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.LogValidator.ValidationResult;

/**
 * Judges a client's or coordinator's batch and numbers it.
 *
 * <h2>Two paths</h2>
 *
 * The fast one (design D5) reads the header, computes the checksum and walks uncompressed records;
 * it never decompresses and allocates next to nothing. What it does not take, for whatever reason,
 * goes to Kafka's own validator, which accepts it or answers with Kafka's own error. Both write
 * offset, epoch and timestamp into the caller's buffer.
 */
public final class LeaderCheck {
  private static final int DELETE_HORIZON_MASK = 0x40;
  private static final int ATTRIBUTES_POSITION = 22;
  private static final int CODEC_MASK = 0x07;
  private static final int CODEC_MAX = 4;

  private static final ThreadLocal<BufferSupplier> BUFFERS =
      ThreadLocal.withInitial(BufferSupplier::create);

  /** Who appends, in which epoch. */
  public record From(int leaderEpoch, AppendOrigin origin) {}

  /** A batch as it goes into the file. */
  public record Checked(
      MemoryRecords records, RecordBatch batch, long logAppendTimeMs, boolean fast) {}

  private final TopicPartition partition;
  private final boolean walkRecords;
  private final boolean strict;
  private final BatchBounds bounds;
  private final LogMeters meters;

  /**
   * @param walkRecords look at the record frames of uncompressed batches on the fast path
   * @param strict there is no fast path
   * @param bounds of a batch that is decoded
   */
  public LeaderCheck(
      TopicPartition partition,
      boolean walkRecords,
      boolean strict,
      BatchBounds bounds,
      LogMeters meters) {
    this.partition = partition;
    this.walkRecords = walkRecords;
    this.strict = strict;
    this.bounds = bounds;
    this.meters = meters;
  }

  /**
   * Judges and numbers a batch in its buffer.
   *
   * @throws org.apache.kafka.common.errors.ApiException as Kafka answers
   */
  public Checked check(
      LeaderBatch given, From from, LogConfig config, long nextOffset, long nowMs) {
    MutableRecordBatch batch = only(given);
    checkFrame(batch, from, config);
    MemoryRecords records = given.records();
    if (!fitsHeader(batch, given.bytes(), from, config, nowMs)
        || (walkRecords && !framesFit(batch, given.bytes(), config, nowMs))) {
      meters.validated.increment();
      return validate(records, batch, from, config, new Numbering(nextOffset, nowMs));
    }
    boolean appendTime = config.messageTimestampType == TimestampType.LOG_APPEND_TIME;
    batch.setLastOffset(nextOffset + batch.lastOffset() - batch.baseOffset());
    batch.setPartitionLeaderEpoch(from.leaderEpoch());
    if (appendTime) {
      batch.setMaxTimestamp(TimestampType.LOG_APPEND_TIME, nowMs);
    }
    return new Checked(records, batch, appendTime ? nowMs : RecordBatch.NO_TIMESTAMP, true);
  }

  private record Numbering(long nextOffset, long nowMs) {}

  private MutableRecordBatch only(LeaderBatch given) {
    MutableRecordBatch batch = given.first();
    if (batch == null) {
      throw new CorruptRecordException("no whole batch in append to " + partition);
    }
    if (!given.single()) {
      throw new InvalidRecordException(
          "append to " + partition + " must be exactly one record batch");
    }
    return batch;
  }

  private void checkFrame(MutableRecordBatch batch, From from, LogConfig config) {
    if (batch.magic() != RecordBatch.CURRENT_MAGIC_VALUE) {
      throw new UnsupportedForMessageFormatException(
          "append to " + partition + " has record format " + batch.magic());
    }
    if (from.origin() == AppendOrigin.CLIENT && batch.baseOffset() != 0) {
      throw new InvalidRecordException(
          "base offset in append to " + partition + " must be 0 and is " + batch.baseOffset());
    }
    if (batch.sizeInBytes() > config.maxMessageSize()) {
      throw new RecordTooLargeException(
          "The record batch size in the append to "
              + partition
              + " is "
              + batch.sizeInBytes()
              + " bytes which exceeds the maximum configured value of "
              + config.maxMessageSize());
    }
    if (!batch.isValid()) {
      throw new CorruptRecordException(
          "Record is corrupt (stored crc = " + batch.checksum() + ") in " + partition);
    }
  }

  /**
   * Whether the fast path may take the batch, as its header tells.
   *
   * @param bytes of the batch, position to limit
   */
  public boolean fitsHeader(
      RecordBatch batch, ByteBuffer bytes, From from, LogConfig config, long nowMs) {
    byte attributes = bytes.get(bytes.position() + ATTRIBUTES_POSITION);
    if ((attributes & CODEC_MASK) > CODEC_MAX) {
      throw new InvalidRecordException("unknown codec in append to " + partition);
    }
    Integer count = batch.countOrNull();
    boolean header =
        count != null
            && count > 0
            && count <= bounds.recordsMax()
            && count == batch.lastOffset() - batch.baseOffset() + 1
            && !batch.isControlBatch()
            && (attributes & DELETE_HORIZON_MASK) == 0
            && (!batch.hasProducerId() || batch.baseSequence() >= 0)
            && batch.timestampType() == TimestampType.CREATE_TIME;
    return header
        && from.origin() == AppendOrigin.CLIENT
        && !config.compact
        && !strict
        && codecKept(batch, config)
        && timesFit(batch, bytes, config, nowMs);
  }

  private static boolean codecKept(RecordBatch batch, LogConfig config) {
    Optional<Compression> wanted = config.compression;
    return wanted.isEmpty() || wanted.get().type() == batch.compressionType();
  }

  private static boolean timesFit(
      RecordBatch batch, ByteBuffer bytes, LogConfig config, long nowMs) {
    if (config.messageTimestampType == TimestampType.LOG_APPEND_TIME) {
      return true;
    }
    long base = bytes.getLong(bytes.position() + 27);
    return within(base, config, nowMs) && within(batch.maxTimestamp(), config, nowMs);
  }

  private static boolean within(long timestampMs, LogConfig config, long nowMs) {
    return timestampMs == RecordBatch.NO_TIMESTAMP
        || (timestampMs >= earliest(config, nowMs) && timestampMs <= latest(config, nowMs));
  }

  private static long earliest(LogConfig config, long nowMs) {
    return Math.max(0, nowMs - config.messageTimestampBeforeMaxMs);
  }

  private static long latest(LogConfig config, long nowMs) {
    long latest = nowMs + config.messageTimestampAfterMaxMs;
    return latest < 0 ? Long.MAX_VALUE : latest;
  }

  private static boolean framesFit(
      RecordBatch batch, ByteBuffer bytes, LogConfig config, long nowMs) {
    if (batch.compressionType() != CompressionType.NONE) {
      return true;
    }
    boolean appendTime = config.messageTimestampType == TimestampType.LOG_APPEND_TIME;
    return RecordFrames.sound(
        bytes.slice(),
        batch,
        appendTime ? Long.MIN_VALUE : earliest(config, nowMs),
        appendTime ? Long.MAX_VALUE : latest(config, nowMs));
  }

  private Checked validate(
      MemoryRecords records,
      MutableRecordBatch batch,
      From from,
      LogConfig config,
      Numbering numbering) {
    CompressionType source = batch.compressionType();
    LogValidator validator =
        new LogValidator(
            records,
            partition,
            new KafkaTime(InstantSource.fixed(Instant.ofEpochMilli(numbering.nowMs))),
            source,
            BrokerCompressionType.targetCompression(config.compression, source),
            config.compact,
            RecordBatch.CURRENT_MAGIC_VALUE,
            config.messageTimestampType,
            config.messageTimestampBeforeMaxMs,
            config.messageTimestampAfterMaxMs,
            from.leaderEpoch(),
            from.origin());
    ValidationResult result =
        bounds.decode(
            batch,
            BUFFERS.get(),
            () ->
                validator.validateMessagesAndAssignOffsets(
                    PrimitiveRef.ofLong(numbering.nextOffset), meters, BUFFERS.get()));
    MutableRecordBatch valid = result.validatedRecords().batches().iterator().next();
    if (valid.sizeInBytes() > config.maxMessageSize()) {
      throw new RecordTooLargeException(
          "Message batch size is "
              + valid.sizeInBytes()
              + " bytes after validation in "
              + partition);
    }
    long appendTimeMs =
        config.messageTimestampType == TimestampType.LOG_APPEND_TIME
            ? result.logAppendTimeMs()
            : RecordBatch.NO_TIMESTAMP;
    return new Checked(result.validatedRecords(), valid, appendTimeMs, false);
  }
}
