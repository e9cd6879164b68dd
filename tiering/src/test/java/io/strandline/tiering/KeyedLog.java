package io.strandline.tiering;

import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/**
 * Segments of a compacted topic, drawn from a seed: few keys, tombstones, headers, all codecs,
 * idempotent producers, transactions that commit, abort, interleave and cross segments. Remembers
 * what was written.
 */
final class KeyedLog {
  private static final int KEYS = 40;
  private static final Compression[] CODECS = {
    Compression.NONE,
    Compression.gzip().build(),
    Compression.snappy().build(),
    Compression.lz4().build(),
    Compression.zstd().build()
  };

  /** A record as it was written; null for a tombstone. */
  record Written(String key, @Nullable String value) {}

  /** A transaction that is open. */
  private record Open(long firstOffset, NavigableMap<Long, Written> records) {}

  private final Path directory;
  private final Random random;
  private final TestHotLog log;
  private final Map<Long, Open> open = new HashMap<>();
  private final Map<Long, Integer> sequences = new HashMap<>();
  private final List<AbortedTransaction> aborted = new ArrayList<>();

  /** What no transaction has taken back, by offset. */
  final NavigableMap<Long, Written> committed = new TreeMap<>();

  private long timestampMs;

  KeyedLog(Path directory, long seed, TestHotLog log, long timestampMs) {
    this.directory = directory;
    this.random = new Random(seed);
    this.log = log;
    this.timestampMs = timestampMs;
  }

  /** Seals segments of so many batches; all transactions have ended when the last does. */
  void seal(int segments, int batches) throws IOException {
    List<List<MemoryRecords>> contents = new ArrayList<>();
    long next = log.end();
    for (int s = 0; s < segments; s++) {
      List<MemoryRecords> content = new ArrayList<>();
      for (int b = 0; b < batches; b++) {
        content.add(batch(next));
        next = end(content);
      }
      if (s == segments - 1) {
        for (long producer : List.copyOf(open.keySet())) {
          content.add(marker(next, producer));
          next = end(content);
        }
      }
      contents.add(content);
    }
    for (List<MemoryRecords> content : contents) {
      write(content);
    }
  }

  /** Seals one batch of so many keys in very few bytes; its last record is of its first key. */
  void sealManyKeys(int keys) throws IOException {
    long offset = log.end();
    SimpleRecord[] records = new SimpleRecord[keys + 1];
    for (int i = 0; i <= keys; i++) {
      String key = "many-" + i % keys;
      committed.put(offset + i, new Written(key, "v"));
      Header[] headers = {new RecordHeader("h", utf8("h"))};
      records[i] = new SimpleRecord(timestampMs, utf8(key), utf8("v"), headers);
    }
    write(List.of(MemoryRecords.withRecords(offset, Compression.gzip().build(), 3, records)));
  }

  private static long end(List<MemoryRecords> content) {
    long end = 0;
    for (RecordBatch batch : content.get(content.size() - 1).batches()) {
      end = batch.nextOffset();
    }
    return end;
  }

  private MemoryRecords batch(long offset) {
    timestampMs += random.nextInt(20);
    long producer = 100 + random.nextInt(4);
    return switch (random.nextInt(6)) {
      case 0 -> plain(offset);
      case 1 -> idempotent(offset, 200 + random.nextInt(2));
      case 2, 3, 4 -> inTransaction(offset, producer);
      default -> open.containsKey(producer) ? marker(offset, producer) : plain(offset);
    };
  }

  private MemoryRecords plain(long offset) {
    NavigableMap<Long, Written> drawn = new TreeMap<>();
    SimpleRecord[] records = records(offset, drawn);
    committed.putAll(drawn);
    return MemoryRecords.withRecords(offset, codec(), 3, records);
  }

  private MemoryRecords idempotent(long offset, long producer) {
    NavigableMap<Long, Written> drawn = new TreeMap<>();
    SimpleRecord[] records = records(offset, drawn);
    committed.putAll(drawn);
    int sequence = sequences.merge(producer, records.length, Integer::sum) - records.length;
    return MemoryRecords.withIdempotentRecords(
        RecordBatch.MAGIC_VALUE_V2, offset, codec(), producer, (short) 0, sequence, 3, records);
  }

  private MemoryRecords inTransaction(long offset, long producer) {
    NavigableMap<Long, Written> drawn = new TreeMap<>();
    SimpleRecord[] records = records(offset, drawn);
    open.computeIfAbsent(producer, p -> new Open(offset, new TreeMap<>())).records.putAll(drawn);
    int sequence = sequences.merge(producer, records.length, Integer::sum) - records.length;
    return MemoryRecords.withTransactionalRecords(
        RecordBatch.MAGIC_VALUE_V2, offset, codec(), producer, (short) 0, sequence, 3, records);
  }

  private MemoryRecords marker(long offset, long producer) {
    Open ending = open.remove(producer);
    boolean commits = random.nextBoolean();
    if (commits) {
      committed.putAll(ending.records);
    } else {
      aborted.add(new AbortedTransaction(producer, ending.firstOffset, offset, ending.firstOffset));
    }
    return MemoryRecords.withEndTransactionMarker(
        offset,
        timestampMs,
        3,
        producer,
        (short) 0,
        new EndTransactionMarker(commits ? ControlRecordType.COMMIT : ControlRecordType.ABORT, 1));
  }

  private Compression codec() {
    return CODECS[random.nextInt(CODECS.length)];
  }

  private SimpleRecord[] records(long offset, Map<Long, Written> drawn) {
    SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(8)];
    for (int i = 0; i < records.length; i++) {
      String key = "key-" + random.nextInt(KEYS);
      String value =
          random.nextInt(5) == 0 ? null : (offset + i) + "-" + "v".repeat(random.nextInt(200));
      Header[] headers = {new RecordHeader("h", utf8(key))};
      drawn.put(offset + i, new Written(key, value));
      records[i] =
          new SimpleRecord(timestampMs, utf8(key), value == null ? null : utf8(value), headers);
    }
    return records;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void write(List<MemoryRecords> content) throws IOException {
    long base = content.get(0).batches().iterator().next().baseOffset();
    long end = end(content);
    Path file = directory.resolve("keyed-" + base + ".log");
    ByteBuffer bytes =
        ByteBuffer.allocate(content.stream().mapToInt(MemoryRecords::sizeInBytes).sum());
    content.forEach(records -> bytes.put(records.buffer().duplicate()));
    Files.write(file, bytes.array());
    Path snapshot = directory.resolve("keyed-" + end + ".snapshot");
    Files.write(snapshot, utf8("snapshot at " + end));
    log.add(
        new SealedSegment(
            log.partition(),
            base,
            end,
            bytes.capacity(),
            timestampMs,
            file,
            aborted.stream().filter(t -> t.overlaps(base, end)).toList(),
            Optional.of(snapshot),
            List.of(new EpochStart(1, 0), new EpochStart(3, 1))));
  }

  /** The last record of each key, tombstones included. */
  Map<String, Long> lastOffsets(long belowOffset) {
    Map<String, Long> last = new HashMap<>();
    committed.headMap(belowOffset).forEach((offset, written) -> last.put(written.key(), offset));
    return last;
  }
}
