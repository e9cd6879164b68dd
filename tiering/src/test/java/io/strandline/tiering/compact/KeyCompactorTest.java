package io.strandline.tiering.compact;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.strandline.tiering.compact.CompactionRound.LastOfProducer;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchBounds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;

class KeyCompactorTest {
  private static final CompactionConfig SMALL =
      new CompactionConfig(24 * 64, 0.9, 4096, 1 << 20, BatchBounds.defaults());
  private static final long DAY_MS = 24 * 60 * 60 * 1000L;
  private static final long NOW_MS = 100 * DAY_MS;

  private final KeyCompactor compactor = new KeyCompactor(SMALL);

  /** Batches in memory as a source, and what was written as a sink. */
  private static final class Segment implements BatchSource, BatchSink {
    private final List<AbortedTransaction> aborted = new ArrayList<>();
    private byte[] bytes = new byte[0];
    private long end;

    Segment add(MemoryRecords records) {
      ByteBuffer more = records.buffer().duplicate();
      ByteBuffer all = ByteBuffer.allocate(bytes.length + more.remaining());
      bytes = all.put(bytes).put(more).array();
      for (RecordBatch batch : records.batches()) {
        end = batch.nextOffset();
      }
      return this;
    }

    Segment put(String... keysAndValues) {
      SimpleRecord[] records = new SimpleRecord[keysAndValues.length];
      for (int i = 0; i < records.length; i++) {
        String[] kv = keysAndValues[i].split("=", -1);
        records[i] = new SimpleRecord(1000 + i, utf8(kv[0]), kv[1].isEmpty() ? null : utf8(kv[1]));
      }
      return add(MemoryRecords.withRecords(end, Compression.NONE, 1, records));
    }

    Segment inTransaction(long producer, String key, String value) {
      SimpleRecord record = new SimpleRecord(1000, utf8(key), utf8(value));
      return add(
          MemoryRecords.withTransactionalRecords(
              end, Compression.NONE, producer, (short) 0, 0, 1, record));
    }

    Segment marker(long producer, ControlRecordType type) {
      return add(
          MemoryRecords.withEndTransactionMarker(
              end, 1000, 1, producer, (short) 0, new EndTransactionMarker(type, 1)));
    }

    Segment abortedFrom(long producer, long firstOffset) {
      aborted.add(new AbortedTransaction(producer, firstOffset, end - 1, end));
      return this;
    }

    @Override
    public long sizeBytes() {
      return bytes.length;
    }

    @Override
    public void read(ByteBuffer into, long positionBytes) {
      into.put(
          bytes,
          (int) positionBytes,
          Math.min(into.remaining(), bytes.length - (int) positionBytes));
    }

    @Override
    public List<AbortedTransaction> abortedTransactions() {
      return aborted;
    }

    @Override
    public void append(MemoryRecords batches, long lastOffset) {
      add(batches);
      assertThat(lastOffset).isGreaterThanOrEqualTo(end - 1);
    }

    @Override
    public void aborted(AbortedTransaction transaction) {
      aborted.add(transaction);
    }

    List<RecordBatch> batches() {
      List<RecordBatch> all = new ArrayList<>();
      MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().forEach(all::add);
      return all;
    }

    /** Offset to {@code key=value}; markers as {@code marker}. */
    Map<Long, String> content() {
      Map<Long, String> content = new TreeMap<>();
      for (RecordBatch batch : batches()) {
        batch.ensureValid();
        for (Record r : batch) {
          content.put(r.offset(), batch.isControlBatch() ? "marker" : text(r));
        }
      }
      return content;
    }
  }

  private static String text(Record r) {
    return utf8(r.key()) + "=" + (r.hasValue() ? utf8(r.value()) : "");
  }

  private static byte[] utf8(String s) {
    return s.getBytes(StandardCharsets.UTF_8);
  }

  private static String utf8(ByteBuffer b) {
    return StandardCharsets.UTF_8.decode(b.duplicate()).toString();
  }

  private Segment compact(Segment in, long nowMs, long endOffset) throws IOException {
    return compact(in, new CompactionRound(nowMs, DAY_MS, endOffset, Map.of()));
  }

  private Segment compact(Segment in, CompactionRound round) throws IOException {
    compactor.reset();
    compactor.index(in, 0, in.end);
    Segment out = new Segment();
    compactor.filter(in, out, round);
    return out;
  }

  @Test
  void theLastRecordOfEachKeyStays() throws IOException {
    Segment in = new Segment().put("a=1", "b=1").put("a=2").put("b=2", "c=1");
    assertThat(compact(in, NOW_MS, -1).content())
        .containsExactlyEntriesOf(new TreeMap<>(Map.of(2L, "a=2", 3L, "b=2", 4L, "c=1")));
  }

  @Property(tries = 50)
  void compactionIsWhatAMapWouldKeep(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    Segment in = new Segment();
    Map<String, Long> last = new HashMap<>();
    Map<Long, String> all = new TreeMap<>();
    for (int b = 0; b < 60; b++) {
      String[] records = new String[1 + random.nextInt(10)];
      for (int i = 0; i < records.length; i++) {
        String key = "k" + random.nextInt(40);
        records[i] = key + "=" + "v".repeat(1 + random.nextInt(300));
        last.put(key, in.end + i);
        all.put(in.end + i, records[i]);
      }
      in.put(records);
    }
    all.keySet().retainAll(last.values());
    assertThat(compact(in, NOW_MS, -1).content()).isEqualTo(all);
  }

  @Test
  void recordsBeyondAFullMapAllStay() throws IOException {
    Segment in = new Segment();
    for (int i = 0; i < 200; i++) {
      in.put("k" + i + "=1");
    }
    in.put("k0=2");
    compactor.reset();
    assertThat(compactor.index(in, 0, in.end)).isFalse();
    assertThat(compactor.indexedEndOffset()).isLessThan(200);
    Segment out = new Segment();
    compactor.filter(in, out, new CompactionRound(NOW_MS, DAY_MS, -1, Map.of()));
    assertThat(out.content()).hasSize(201);
  }

  @Test
  void aTombstoneGoesAfterItsHorizonAndNotBefore() throws IOException {
    Segment in = new Segment().put("a=1").put("a=").put("b=1");
    Segment once = compact(in, NOW_MS, -1);
    assertThat(once.content().values()).containsExactly("a=", "b=1");
    Segment soon = compact(once, NOW_MS + DAY_MS - 1, -1);
    assertThat(soon.content().values()).containsExactly("a=", "b=1");
    Segment late = compact(soon, NOW_MS + DAY_MS, -1);
    assertThat(late.content().values()).containsExactly("b=1");
  }

  @Test
  void abortedRecordsGoAndHideNoOlderValue() throws IOException {
    Segment in =
        new Segment()
            .put("a=1")
            .inTransaction(7, "a", "aborted")
            .marker(7, ControlRecordType.ABORT)
            .abortedFrom(7, 1)
            .put("b=1");
    Segment once = compact(in, NOW_MS, -1);
    assertThat(once.content().values()).containsExactly("a=1", "marker", "b=1");
    assertThat(once.abortedTransactions()).isEqualTo(in.abortedTransactions());
    // The next round meets no batch of it: the marker gets a horizon, and goes when that is over.
    Segment twice = compact(once, NOW_MS, -1);
    assertThat(twice.content().values()).containsExactly("a=1", "marker", "b=1");
    assertThat(twice.abortedTransactions()).isEmpty();
    assertThat(compact(twice, NOW_MS + DAY_MS, -1).content().values())
        .containsExactly("a=1", "b=1");
  }

  @Test
  void aCommitMarkerStaysAsLongAsItsRecords() throws IOException {
    Segment in =
        new Segment().inTransaction(7, "a", "1").marker(7, ControlRecordType.COMMIT).put("b=1");
    Segment out = compact(in, NOW_MS, -1);
    assertThat(compact(out, NOW_MS + 9 * DAY_MS, -1).content().values())
        .containsExactly("a=1", "marker", "b=1");
  }

  @Test
  void theLastBatchOfTheRoundAndOfAnActiveProducerStayEvenIfEmpty() throws IOException {
    Segment in = new Segment().inTransaction(7, "a", "1").put("a=2").put("a=3");
    in.put("b=1");
    Segment tail = new Segment();
    tail.end = in.end;
    CompactionRound round =
        new CompactionRound(NOW_MS, DAY_MS, 2, Map.of(7L, new LastOfProducer(0, (short) 0)));
    Segment out = compact(in, round);
    assertThat(out.content().values()).containsExactly("a=3", "b=1");
    assertThat(out.batches()).extracting(RecordBatch::lastOffset).containsExactly(0L, 1L, 2L, 3L);
  }

  @Test
  void aBatchThatDoesNotDecodeStaysAsItIs() throws IOException {
    Segment in = new Segment().put("a=1").put("a=2").put("b=1");
    int second = in.batches().get(0).sizeInBytes();
    in.bytes[second + 65] ^= 0x40;
    compactor.reset();
    compactor.index(in, 0, in.end);
    Segment out = new Segment();
    CompactionStats stats =
        compactor.filter(in, out, new CompactionRound(NOW_MS, DAY_MS, -1, Map.of()));
    assertThat(stats.undecodableBatches()).isEqualTo(1);
    assertThat(ByteBuffer.wrap(out.bytes))
        .satisfies(
            b ->
                assertThat(new String(out.bytes, StandardCharsets.ISO_8859_1))
                    .contains(new String(in.bytes, second, 60, StandardCharsets.ISO_8859_1)));
  }

  @Test
  void aBatchLargerThanTheBufferIsRead() throws IOException {
    Segment in = new Segment().put("a=1").put("big=" + "x".repeat(50_000)).put("a=2");
    assertThat(compact(in, NOW_MS, -1).content().keySet()).containsExactly(1L, 2L);
  }

  @Test
  void aCutSegmentIsRefused() {
    Segment in = new Segment().put("a=1");
    in.bytes = java.util.Arrays.copyOf(in.bytes, in.bytes.length - 1);
    assertThatExceptionOfType(CorruptRecordException.class)
        .isThrownBy(() -> compact(in, NOW_MS, -1));
  }
}
