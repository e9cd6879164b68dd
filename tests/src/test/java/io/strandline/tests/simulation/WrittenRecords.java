package io.strandline.tests.simulation;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;

/**
 * What a producer wrote: what was acknowledged must be readable, once, at its offset, in the log or
 * in the tier; what was not may be there or not, but is then what it tried to write.
 */
final class WrittenRecords {
  /** A record by its value and its time. */
  private record Written(String value, long timestampMs) {}

  private final TreeMap<Long, Written> acknowledged = new TreeMap<>();
  private final TreeMap<Long, Written> open = new TreeMap<>();
  private int numbers;

  int next() {
    return numbers++;
  }

  int count() {
    return numbers;
  }

  void tried(long fromOffset, SimpleRecord[] records) {
    for (int i = 0; i < records.length; i++) {
      open.put(
          fromOffset + i,
          new Written(text(records[i].value().duplicate()), records[i].timestamp()));
    }
  }

  void acknowledged(long firstOffset, long lastOffset) {
    for (long offset = firstOffset; offset <= lastOffset; offset++) {
      Written written = open.remove(offset);
      if (written == null) {
        throw new AssertionError("acknowledged at " + offset + " what was tried elsewhere");
      }
      acknowledged.put(offset, written);
    }
  }

  /** A batch that the last life did not acknowledge is now there, whole, or it is not. */
  void recovered(PartitionLog log) {
    long end = log.logEndOffset();
    if (!acknowledged.isEmpty() && end <= acknowledged.lastKey()) {
      throw new AssertionError(
          "AcknowledgedReadable: acknowledged up to "
              + acknowledged.lastKey()
              + ", log ends at "
              + end);
    }
    open.headMap(end).forEach(acknowledged::put);
    open.clear();
  }

  /** Checks every acknowledged record, the seam, and one look-up by time. */
  void check(PartitionLog log, ManifestView view, List<SegmentEntry> named, ObjectStore bucket) {
    acknowledged.headMap(log.logStartOffset()).clear();
    boolean tiered = !named.isEmpty();
    if (tiered
        ? log.localLogStartOffset() > view.endOffset()
        : log.localLogStartOffset() > Math.max(log.logStartOffset(), view.endOffset())) {
      throw new AssertionError(
          "NothingBetween: the tier ends at "
              + view.endOffset()
              + ", the log begins at "
              + log.localLogStartOffset());
    }
    Map<Long, Written> local = local(log);
    compare("local", local, log.localLogStartOffset(), log.logEndOffset());
    for (SegmentEntry entry : named) {
      if (entry.endOffset() > log.logEndOffset()) {
        throw new AssertionError("NothingBeyond: tiered to " + entry.endOffset());
      }
      Map<Long, Written> records = new TreeMap<>();
      ByteBuffer data =
          bucket.get(entry.object(), entry.positionBytes(), (int) entry.dataBytes()).join();
      collect(records, MemoryRecords.readableRecords(data));
      compare(
          "tier", records, Math.max(entry.baseOffset(), log.logStartOffset()), entry.endOffset());
    }
    checkTime(log, view);
  }

  private void compare(String where, Map<Long, Written> found, long from, long to) {
    Map<Long, Written> wanted = acknowledged.subMap(from, Math.max(from, to));
    for (Map.Entry<Long, Written> entry : wanted.entrySet()) {
      if (!entry.getValue().equals(found.get(entry.getKey()))) {
        throw new AssertionError(
            "AcknowledgedReadable: "
                + where
                + " has at "
                + entry.getKey()
                + " "
                + found.get(entry.getKey())
                + " instead of "
                + entry.getValue());
      }
    }
  }

  /** Invariant 7, for the time of some record. */
  private void checkTime(PartitionLog log, ManifestView view) {
    if (acknowledged.isEmpty()) {
      return;
    }
    List<Written> all = List.copyOf(acknowledged.values());
    long asked = all.get(numbers % all.size()).timestampMs();
    long wanted =
        acknowledged.entrySet().stream()
            .filter(entry -> entry.getValue().timestampMs() >= asked)
            .findFirst()
            .orElseThrow()
            .getKey();
    boolean tiered = wanted < view.endOffset() && wanted >= view.startOffset();
    boolean right =
        tiered
            ? view.firstReaching(asked).join().filter(e -> e.covers(wanted)).isPresent()
            : log.firstReaching(asked, log.logEndOffset())
                .filter(found -> found.offset() == wanted)
                .isPresent();
    if (!right && (tiered || wanted >= log.localLogStartOffset())) {
      throw new AssertionError("FirstReaching: " + asked + " is first reached at " + wanted);
    }
  }

  private static Map<Long, Written> local(PartitionLog log) {
    Map<Long, Written> records = new TreeMap<>();
    long offset = log.localLogStartOffset();
    while (offset < log.logEndOffset()) {
      try (LogRead read = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          throw new AssertionError("AcknowledgedReadable: nothing to read at " + offset);
        }
        collect(records, read.toMemory());
        offset = read.nextOffset();
      }
    }
    return records;
  }

  private static void collect(Map<Long, Written> records, MemoryRecords batches) {
    for (Record record : batches.records()) {
      Written written = new Written(text(record.value().duplicate()), record.timestamp());
      if (records.put(record.offset(), written) != null) {
        throw new AssertionError("Once: " + record.offset() + " twice");
      }
    }
  }

  private static String text(ByteBuffer value) {
    return StandardCharsets.UTF_8.decode(value).toString();
  }
}
