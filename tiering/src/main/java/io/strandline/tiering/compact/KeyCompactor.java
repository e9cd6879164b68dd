package io.strandline.tiering.compact;

import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.NoSuchAlgorithmException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;
import org.apache.kafka.storage.internals.log.OffsetMap;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compaction of one partition in two passes over segments in order of offsets: {@link #index} of
 * what is dirty learns the last offset of each key, then {@link #filter} of everything below {@link
 * #indexedEndOffset()} copies what stays (design invariant 9). One thread at a time; reusable for
 * one partition after another by {@link #reset()}.
 *
 * <p>A batch that does not decode is kept as it is, and counted (design D5).
 */
public final class KeyCompactor {
  private static final Logger LOG = LoggerFactory.getLogger(KeyCompactor.class);

  private final CompactionConfig config;
  private final BufferSupplier decompression = BufferSupplier.create();
  private final OffsetMap lastOffsets;
  private TransactionLedger indexed = new TransactionLedger(0);
  private TransactionLedger filtered = new TransactionLedger(0);
  private ByteBuffer read;
  private ByteBuffer write;
  private long writeLastOffset;

  public KeyCompactor(CompactionConfig config) {
    this.config = config;
    try {
      this.lastOffsets = new SkimpyOffsetMap(config.mapBytes());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    this.read = ByteBuffer.allocate(config.bufferBytes());
    this.write = ByteBuffer.allocate(config.bufferBytes());
  }

  /** What is done with each batch that a segment holds. */
  @FunctionalInterface
  private interface Step {
    /**
     * @return whether to go on
     */
    boolean take(MutableRecordBatch batch, ByteBuffer bytes) throws IOException;
  }

  /** Forgets keys and transactions: begins a round. */
  public void reset() {
    resumeAt(0);
  }

  /**
   * As {@link #reset}, for a round that has been through what lies below the offset already, in
   * another process: {@link #filter} goes on there.
   */
  public void resumeAt(long filterOffset) {
    lastOffsets.clear();
    indexed = new TransactionLedger(0);
    filtered = new TransactionLedger(filterOffset);
  }

  /**
   * Learns the keys of a segment's records from {@code fromOffset} on and below {@code endOffset},
   * the segment's end or where the round ends.
   *
   * @return whether there was room for all; if not, the round ends at {@link #indexedEndOffset()},
   *     which may lie within a batch
   */
  public boolean index(BatchSource segment, long fromOffset, long endOffset) throws IOException {
    indexed.expect(segment.abortedTransactions());
    boolean all =
        walk(
            segment,
            (batch, bytes) ->
                batch.lastOffset() < fromOffset
                    || firstOffset(batch) >= endOffset
                    || learn(batch, fromOffset));
    if (all) {
      lastOffsets.updateLatestOffset(endOffset - 1);
    }
    return all;
  }

  /** Of old formats it stands in what is compressed. */
  private static long firstOffset(RecordBatch batch) {
    return batch.magic() < RecordBatch.MAGIC_VALUE_V2 ? batch.lastOffset() : batch.baseOffset();
  }

  /** Offset after the last one learnt; records from there on all stay. */
  public long indexedEndOffset() {
    return lastOffsets.latestOffset() + 1;
  }

  /**
   * Copies what stays of one segment; what lies at or above {@link #indexedEndOffset()} as it is.
   */
  public CompactionStats filter(BatchSource segment, BatchSink sink, CompactionRound round)
      throws IOException {
    KeepRule rule = new KeepRule(round, lastOffsets, filtered);
    filtered.expect(segment.abortedTransactions());
    write.clear();
    CompactionStats[] stats = {CompactionStats.NONE};
    walk(
        segment,
        (batch, bytes) -> {
          stats[0] = stats[0].plus(keep(batch, bytes, rule));
          for (AbortedTransaction kept : rule.takeKeptAborted()) {
            sink.aborted(kept);
          }
          if (write.position() >= config.bufferBytes() / 2) {
            flush(sink);
          }
          return true;
        });
    flush(sink);
    return stats[0].plus(new CompactionStats(0, 0, 0, 0, rule.keylessRecords(), 0, 0));
  }

  private boolean learn(RecordBatch batch, long fromOffset) {
    TransactionLedger.Verdict verdict = verdict(batch);
    if (!batch.isControlBatch() && !verdict.discardable()) {
      try {
        if (!config.bounds().decode(batch, decompression, () -> learnKeys(batch, fromOffset))) {
          return false;
        }
      } catch (KafkaException e) {
        logUndecodable(batch, e);
      }
    }
    lastOffsets.updateLatestOffset(batch.lastOffset());
    return true;
  }

  private TransactionLedger.Verdict verdict(RecordBatch batch) {
    if (!batch.isControlBatch()) {
      return indexed.next(batch);
    }
    try {
      return config.bounds().decode(batch, decompression, () -> indexed.next(batch));
    } catch (KafkaException e) {
      logUndecodable(batch, e);
      return TransactionLedger.Verdict.KEEP;
    }
  }

  private boolean learnKeys(RecordBatch batch, long fromOffset) {
    try (CloseableIterator<Record> records = batch.streamingIterator(decompression)) {
      while (records.hasNext()) {
        Record record = records.next();
        if (record.hasKey() && record.offset() >= fromOffset && !learn(record)) {
          return false;
        }
      }
      return true;
    }
  }

  private boolean learn(Record record) {
    if (lastOffsets.size() >= (int) (lastOffsets.slots() * config.mapLoadFactor())) {
      return false;
    }
    try {
      lastOffsets.put(record.key(), record.offset());
      return true;
    } catch (DigestException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Writes what stays of the batch behind what is in the write buffer. */
  private CompactionStats keep(MutableRecordBatch batch, ByteBuffer bytes, KeepRule rule) {
    int before = write.position();
    long read = 0;
    long retained = 0;
    boolean decodes = true;
    if (firstOffset(batch) >= indexedEndOffset()) {
      rule.passes(batch);
      putVerbatim(bytes);
    } else if (rule.dropsWhole(batch)) {
      read = batch.countOrNull() == null ? 0 : batch.countOrNull();
    } else {
      MemoryRecords.@Nullable FilterResult result = filter(batch, bytes, rule);
      decodes = result != null;
      if (result == null) {
        rule.passes(batch);
        write.position(before);
        putVerbatim(bytes);
      } else {
        read = result.messagesRead();
        retained = result.messagesRetained();
      }
    }
    int kept = write.position() - before;
    if (kept > 0) {
      writeLastOffset = batch.lastOffset();
    }
    boolean same = kept == bytes.remaining() && write.slice(before, kept).equals(bytes);
    return new CompactionStats(
        read, batch.sizeInBytes(), retained, kept, 0, decodes ? 0 : 1, same ? 0 : 1);
  }

  /** Null if it does not decode; the write buffer's end is then undefined. */
  private MemoryRecords.@Nullable FilterResult filter(
      MutableRecordBatch batch, ByteBuffer bytes, KeepRule rule) {
    try {
      batch.ensureValid();
      MemoryRecords.FilterResult result =
          config
              .bounds()
              .decode(
                  batch,
                  decompression,
                  () ->
                      MemoryRecords.readableRecords(bytes.duplicate())
                          .filterTo(rule, write, decompression));
      write = result.outputBuffer();
      return result;
    } catch (KafkaException e) {
      logUndecodable(batch, e);
      return null;
    }
  }

  private void putVerbatim(ByteBuffer bytes) {
    if (write.remaining() < bytes.remaining()) {
      ByteBuffer larger = ByteBuffer.allocate(write.position() + bytes.remaining());
      write = larger.put(write.flip());
    }
    write.put(bytes.duplicate());
  }

  private void flush(BatchSink sink) throws IOException {
    if (write.position() > 0) {
      sink.append(MemoryRecords.readableRecords(write.flip()), writeLastOffset);
    }
    // A buffer that grew for one large batch is not kept.
    write =
        write.capacity() > config.bufferBytes()
            ? ByteBuffer.allocate(config.bufferBytes())
            : write.clear();
  }

  /**
   * @return whether all steps said to go on
   */
  private boolean walk(BatchSource segment, Step step) throws IOException {
    long at = 0;
    while (at < segment.sizeBytes()) {
      read.clear();
      segment.read(read, at);
      read.flip();
      int taken = 0;
      for (MutableRecordBatch batch : MemoryRecords.readableRecords(read).batches()) {
        ByteBuffer bytes = read.slice(taken, batch.sizeInBytes());
        taken += batch.sizeInBytes();
        if (!step.take(batch, bytes)) {
          return false;
        }
      }
      at += taken;
      if (taken == 0) {
        growForBatch(segment, at);
      }
    }
    if (read.capacity() > config.bufferBytes()) {
      read = ByteBuffer.allocate(config.bufferBytes());
    }
    return true;
  }

  private void growForBatch(BatchSource segment, long at) {
    Integer size = MemoryRecords.readableRecords(read).firstBatchSize();
    long left = segment.sizeBytes() - at;
    if (size == null || size <= read.capacity() || size > left || size > config.batchBytesMax()) {
      throw new CorruptRecordException(
          "the batch at " + at + " has " + size + " bytes, " + left + " are left");
    }
    read = ByteBuffer.allocate(size);
  }

  private static void logUndecodable(RecordBatch batch, KafkaException e) {
    LOG.atWarn()
        .addKeyValue("offset", firstOffset(batch))
        .addKeyValue("reason", e.toString())
        .log("a batch does not decode and is kept as it is");
  }
}
