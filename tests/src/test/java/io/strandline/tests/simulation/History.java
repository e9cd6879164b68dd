package io.strandline.tests.simulation;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * What was committed: every record below the highest high watermark that any leader ever had. It
 * never changes again, whoever leads; everything that can be read is held against it.
 */
final class History {
  /**
   * A record by its value, or by its name if it is a tombstone; its time; its key.
   *
   * @param tombstone whether it has no value
   */
  record Written(String value, long timestampMs, String key, boolean tombstone) {}

  /** How long a tombstone stays at least, by {@code delete.retention.ms}. */
  static final long DELETE_RETENTION_MS = 3_000;

  /** The header that names a tombstone. */
  static final String NAME = "n";

  private static final String MARKER = "marker ";

  /** Where a record comes from: its leader's epoch, its producer's, its number there. */
  record Origin(int leaderEpoch, short producerEpoch, int sequence) {}

  /** From an offset on all was lost; what is there now was written in this epoch or later. */
  private record Cut(long offset, int epoch) {}

  private final NavigableMap<Long, Written> committed = new TreeMap<>();
  private final NavigableMap<Long, Origin> origins = new TreeMap<>();
  private final List<Cut> cuts = new ArrayList<>();
  private final Map<String, Long> tried = new HashMap<>();
  private final Map<String, Long> places = new HashMap<>();
  private long start;
  private long end;
  private long deletedBelow;
  private long dueBelow;
  private long endEver;
  private long cleanedBelow;
  private int acknowledged;

  /** Offset after the last that is committed. */
  long endOffset() {
    return end;
  }

  /** First offset that no one may miss. */
  long startOffset() {
    return start;
  }

  int acknowledged() {
    return acknowledged;
  }

  NavigableMap<Long, Written> committed() {
    return committed;
  }

  /** Offset after the last that ever was committed, lost since or not. */
  long endOffsetEver() {
    return endEver;
  }

  /** How often the last copy of something was lost. */
  int cuts() {
    return cuts.size();
  }

  /** By offset; of what was removed lawfully too. */
  NavigableMap<Long, Origin> origins() {
    return origins;
  }

  /**
   * The only copies above the tier's end are gone with their disks: nobody has to have them any
   * more, and from the epoch on nobody may.
   */
  void cut(long tierEnd, int epoch) {
    cuts.add(new Cut(tierEnd, epoch));
    committed.tailMap(tierEnd, true).clear();
    origins.tailMap(tierEnd, true).clear();
    places.values().removeIf(offset -> offset >= tierEnd);
    end = Math.min(end, tierEnd);
    start = Math.min(start, tierEnd);
    deletedBelow = Math.min(deletedBelow, tierEnd);
    dueBelow = Math.min(dueBelow, tierEnd);
    cleanedBelow = Math.min(cleanedBelow, tierEnd);
  }

  /** Up to where a log is held to anything: it may not have heard yet that others were lost. */
  long bound(PartitionLog log) {
    int latest = log.latestEpoch().orElse(-1);
    return cuts.stream()
        .filter(cut -> latest < cut.epoch())
        .mapToLong(Cut::offset)
        .min()
        .orElse(Long.MAX_VALUE);
  }

  /** A client is about to write it. */
  void tried(String value, long timestampMs) {
    tried.put(value, timestampMs);
  }

  /** A user asked for everything below the offset to go. */
  void deleteBelow(long offset) {
    deletedBelow = Math.max(deletedBelow, offset);
  }

  /** Compaction has come, or is on its way, to here: what lies below may have gone. */
  void cleaning(long offset) {
    cleanedBelow = Math.max(cleanedBelow, offset);
  }

  /** Invariant 9: whether compaction may have taken the record. */
  boolean mayBeCompacted(long offset, long nowMs) {
    Written written = committed.get(offset);
    if (written == null || offset >= cleanedBelow) {
      return false;
    }
    boolean later =
        committed.subMap(offset, false, cleanedBelow, false).values().stream()
            .anyMatch(other -> other.key().equals(written.key()));
    return later || (written.tombstone() && nowMs >= written.timestampMs() + DELETE_RETENTION_MS);
  }

  /** A leader's high watermark is there: what its log holds below it is final. */
  void committedUpTo(long highWatermark, PartitionLog log) {
    if (highWatermark <= end) {
      return;
    }
    Map<Long, Written> found = local(log, end, highWatermark, origins);
    for (long offset = end; offset < highWatermark; offset++) {
      Written written = found.get(offset);
      if (written == null) {
        throw new AssertionError("AcknowledgedReadable: nothing at " + offset);
      }
      if (!marker(written)) {
        once(written, offset);
      }
      committed.put(offset, written);
    }
    end = highWatermark;
    endEver = Math.max(endEver, end);
  }

  private void once(Written written, long offset) {
    Long timestamp = tried.get(written.value());
    if (timestamp == null || timestamp != written.timestampMs()) {
      throw new AssertionError("AcknowledgedReadable: nobody wrote " + written);
    }
    Long before = places.put(written.value(), offset);
    if (before != null) {
      throw new AssertionError("Once: " + written + " at " + before + " and " + offset);
    }
  }

  /** A client was told so. */
  void acknowledge(String value, long offset) {
    acknowledged++;
    Written written = committed.get(offset);
    if (offset >= start && (written == null || !written.value().equals(value))) {
      throw new AssertionError(
          "AcknowledgedReadable: acknowledged "
              + value
              + " at "
              + offset
              + ", there is "
              + written);
    }
  }

  /** Below it a log may forget what it knew, whether it has moved its start there or not. */
  long lawfulStart() {
    return Math.max(start, Math.max(deletedBelow, dueBelow));
  }

  /** A leader is about to remove what lies below, and may. */
  void dueBelow(long offset) {
    dueBelow = Math.max(dueBelow, offset);
  }

  /** Whether retention by time takes all below. */
  boolean old(long newStart, long nowMs, long retentionMs) {
    return retentionMs >= 0 && nowMs - newest(newStart) > retentionMs;
  }

  /** The log begins later than it did: each record that is gone must have been due. */
  void startsAt(long newStart, boolean due) {
    if (newStart <= start) {
      return;
    }
    for (Map.Entry<Long, Written> gone : committed.headMap(newStart).entrySet()) {
      boolean asked = gone.getKey() < Math.max(deletedBelow, dueBelow);
      if (!asked && !due) {
        throw new AssertionError(
            "RemovedLawfully: " + gone + " is gone, the log begins at " + newStart);
      }
    }
    if (newStart > end) {
      throw new AssertionError("RemovedLawfully: begins at " + newStart + ", committed to " + end);
    }
    committed.headMap(newStart).clear();
    start = newStart;
  }

  /** Retention takes whole segments: of the last that goes, the newest record is too old. */
  private long newest(long newStart) {
    Written last = committed.get(newStart - 1);
    return last == null ? Long.MIN_VALUE : last.timestampMs();
  }

  /** Everything committed from one offset to another must be among the records found. */
  void compare(String where, Map<Long, Written> found, long from, long to) {
    for (long offset = Math.max(from, start); offset < Math.min(to, end); offset++) {
      equal(where, offset, found.get(offset));
    }
  }

  /** As {@link #compare}, but for what compaction may have taken. */
  void compareTiered(String where, Map<Long, Written> found, long from, long to, long nowMs) {
    for (long offset = Math.max(from, start); offset < Math.min(to, end); offset++) {
      Written there = found.get(offset);
      if (there != null || !mayBeCompacted(offset, nowMs)) {
        equal(where, offset, there);
      }
    }
  }

  private void equal(String where, long offset, @Nullable Written found) {
    Written wanted = committed.get(offset);
    if (wanted == null || !wanted.equals(found)) {
      throw new AssertionError(
          "AcknowledgedReadable: "
              + where
              + " has at "
              + offset
              + " "
              + found
              + " instead of "
              + wanted);
    }
  }

  /** Everything that a log holds locally in a range; dense. */
  static Map<Long, Written> local(PartitionLog log, long from, long to) {
    return local(log, from, to, new TreeMap<>());
  }

  private static Map<Long, Written> local(
      PartitionLog log, long from, long to, Map<Long, Origin> origins) {
    Map<Long, Written> records = new TreeMap<>();
    long offset = from;
    while (offset < to) {
      try (LogRead read = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          throw new AssertionError("AcknowledgedReadable: nothing to read at " + offset);
        }
        MemoryRecords batches = read.toMemory();
        collect(records, batches);
        collectOrigins(origins, batches, to);
        offset = read.nextOffset();
      }
    }
    return records;
  }

  static void collect(Map<Long, Written> records, MemoryRecords batches) {
    batches.batches().forEach(batch -> collect(records, batch));
  }

  static void collect(Map<Long, Written> records, RecordBatch batch) {
    for (Record record : batch) {
      if (batch.isControlBatch()) {
        records.put(record.offset(), marker(batch, record));
        continue;
      }
      boolean tombstone = !record.hasValue();
      Written written =
          new Written(
              name(record.value(), record.headers()),
              record.timestamp(),
              text(record.key()),
              tombstone);
      if (records.put(record.offset(), written) != null) {
        throw new AssertionError("Once: " + record.offset() + " twice");
      }
    }
  }

  private static void collectOrigins(Map<Long, Origin> origins, MemoryRecords batches, long to) {
    for (RecordBatch batch : batches.batches()) {
      for (Record record : batch) {
        if (record.offset() < to) {
          origins.put(
              record.offset(),
              new Origin(batch.partitionLeaderEpoch(), batch.producerEpoch(), record.sequence()));
        }
      }
    }
  }

  private static Written marker(RecordBatch batch, Record record) {
    String what = ControlRecordType.parse(record.key()).name();
    String whose = MARKER + what + " " + batch.producerId() + " " + batch.producerEpoch();
    return new Written(whose, record.timestamp(), "", false);
  }

  /** Whether it ends a transaction; it may be there twice. */
  static boolean marker(Written written) {
    return written.value().startsWith(MARKER);
  }

  private static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  /** What a record is known by: its value, or what its header says if it has none. */
  static String name(@Nullable ByteBuffer value, Header[] headers) {
    return value == null ? new String(headers[0].value(), StandardCharsets.UTF_8) : text(value);
  }
}
