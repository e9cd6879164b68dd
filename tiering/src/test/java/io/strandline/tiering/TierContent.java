package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.KeyedLog.Written;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/** What a consumer that reads committed records gets out of tiered segments, as Kafka's does. */
final class TierContent {
  private final ObjectStore store;

  /** By offset. */
  final NavigableMap<Long, Written> records = new TreeMap<>();

  int markers;
  int batches;
  private long nextOffset;

  private TierContent(ObjectStore store) {
    this.store = store;
  }

  static TierContent read(ObjectStore store, List<SegmentEntry> entries) {
    TierContent content = new TierContent(store);
    entries.forEach(content::readSegment);
    return content;
  }

  private void readSegment(SegmentEntry entry) {
    ByteBuffer object = store.get(entry.object(), 64 << 20).join();
    int tail = (int) SegmentFormat.tailPositionBytes(entry);
    SegmentIndex index = SegmentFormat.decode(entry, object.slice(tail, object.limit() - tail));
    assertThat(index.producerSnapshot()).contains(utf8("snapshot at " + entry.endOffset()));
    assertThat(index.leaderEpochs()).hasSize(2);
    NavigableMap<Long, AbortedTransaction> begins = new TreeMap<>();
    index
        .abortedTransactions(entry.baseOffset(), entry.endOffset())
        .forEach(t -> begins.put(t.firstOffset(), t));
    Set<Long> abortedProducers = new HashSet<>();
    nextOffset = entry.baseOffset();
    for (RecordBatch batch :
        MemoryRecords.readableRecords(object.slice(0, (int) entry.dataBytes())).batches()) {
      batch.ensureValid();
      assertThat(batch.baseOffset()).isGreaterThanOrEqualTo(nextOffset);
      nextOffset = batch.nextOffset();
      batches++;
      while (!begins.isEmpty() && begins.firstKey() <= batch.lastOffset()) {
        abortedProducers.add(begins.pollFirstEntry().getValue().producerId());
      }
      take(batch, abortedProducers);
    }
    assertThat(nextOffset).isLessThanOrEqualTo(entry.endOffset());
  }

  private void take(RecordBatch batch, Set<Long> abortedProducers) {
    if (batch.isControlBatch()) {
      for (Record marker : batch) {
        markers++;
        if (ControlRecordType.parse(marker.key()) == ControlRecordType.ABORT) {
          abortedProducers.remove(batch.producerId());
        }
      }
    } else if (!batch.isTransactional() || !abortedProducers.contains(batch.producerId())) {
      for (Record r : batch) {
        String key = StandardCharsets.UTF_8.decode(r.key().duplicate()).toString();
        String value =
            r.hasValue() ? StandardCharsets.UTF_8.decode(r.value().duplicate()).toString() : null;
        assertThat(r.headers()).hasSize(1);
        records.put(r.offset(), new Written(key, value));
      }
    }
  }

  private static ByteBuffer utf8(String text) {
    return StandardCharsets.UTF_8.encode(text);
  }

  /** What a reader makes of it that keeps the last value of each key. */
  Map<String, String> table() {
    return table(records);
  }

  static Map<String, String> table(NavigableMap<Long, Written> records) {
    Map<String, String> table = new HashMap<>();
    records
        .values()
        .forEach(
            written -> {
              if (written.value() == null) {
                table.remove(written.key());
              } else {
                table.put(written.key(), written.value());
              }
            });
    return table;
  }
}
