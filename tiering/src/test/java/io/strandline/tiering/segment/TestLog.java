package io.strandline.tiering.segment;

import io.strandline.tiering.store.Payload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Real record batches, drawn from a seed, in a file. */
public final class TestLog {
  public static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(0x1234_5678_9abcL, 42), new TopicPartition("trips", 3));

  /** One batch as written. */
  public record Written(long baseOffset, long lastOffset, long positionBytes, long maxTimestamp) {}

  public final List<Written> batches = new ArrayList<>();
  public final Path file;
  public final long baseOffset;
  public long endOffset;
  public long bytes;

  private TestLog(Path file, long baseOffset) {
    this.file = file;
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
  }

  public static TestLog write(Path file, long seed, long baseOffset, int batchCount) {
    Random random = new Random(seed);
    TestLog log = new TestLog(file, baseOffset);
    try (var out =
        Files.newByteChannel(
            file,
            java.util.EnumSet.of(
                java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE))) {
      for (int i = 0; i < batchCount; i++) {
        ByteBuffer batch = log.next(random);
        log.bytes += batch.remaining();
        out.write(batch);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return log;
  }

  private ByteBuffer next(Random random) {
    int records = 1 + random.nextInt(20);
    long max = -1;
    SimpleRecord[] simple = new SimpleRecord[records];
    for (int r = 0; r < records; r++) {
      long timestamp = 1_000_000 + batches.size() * 10L + random.nextInt(100);
      max = Math.max(max, timestamp);
      byte[] value = new byte[random.nextInt(400)];
      random.nextBytes(value);
      simple[r] = new SimpleRecord(timestamp, ("k" + r).getBytes(StandardCharsets.UTF_8), value);
    }
    Compression[] codecs = {
      Compression.NONE, Compression.lz4().build(), Compression.gzip().build()
    };
    MemoryRecords batch =
        MemoryRecords.withRecords(endOffset, codecs[random.nextInt(3)], 7, simple);
    batches.add(new Written(endOffset, endOffset + records - 1, bytes, max));
    endOffset += records;
    return batch.buffer().duplicate();
  }

  public SegmentParts parts() {
    return parts(baseOffset, List.of());
  }

  public SegmentParts parts(long startOffset, List<AbortedTransaction> aborted) {
    return new SegmentParts(
        PARTITION,
        file,
        bytes,
        startOffset,
        endOffset,
        aborted,
        List.of(new EpochStart(2, 0), new EpochStart(7, 10)),
        Optional.empty());
  }

  /** All bytes of a payload, as a store would write them. */
  public static byte[] bytesOf(Payload payload) {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(payload.lengthBytes()));
    for (Payload.Part part : payload.parts()) {
      if (part instanceof Payload.Bytes b) {
        all.put(b.buffer().duplicate());
      } else if (part instanceof Payload.FileRange f) {
        try {
          all.put(Files.readAllBytes(f.file()), (int) f.positionBytes(), (int) f.lengthBytes());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return all.array();
  }
}
