package io.strandline.bench.jmh;

import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.Payload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a replay decodes before it can read: a segment's footer, and its tail with all indexes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FooterDecode {
  private static final int BATCHES = 2000;
  private static final int BATCH_BYTES = 16 * 1024;

  private ByteBuffer tail = ByteBuffer.allocate(0);

  /** Encodes a segment of 32 MB in batches of 16 KiB, and keeps what follows its batches. */
  @Setup
  public void encode() throws IOException {
    Path file = Files.createTempFile("footer", ".log");
    try {
      long bytes = write(file);
      EncodedSegment segment =
          SegmentFormat.encode(
              new SegmentParts(
                  new TopicIdPartition(new Uuid(1, 2), 0, "bench"),
                  file,
                  bytes,
                  0,
                  (long) BATCHES * ClientBatch.records(BATCH_BYTES),
                  List.of(),
                  List.of(new EpochStart(0, 0)),
                  Optional.empty()));
      for (Payload.Part part : segment.payload().parts()) {
        if (part instanceof Payload.Bytes end) {
          tail = end.buffer();
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  private static long write(Path file) throws IOException {
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int n = 0; n < BATCHES; n++) {
        ByteBuffer batch = batch(n).buffer().duplicate();
        while (batch.hasRemaining()) {
          out.write(batch);
        }
      }
      return out.size();
    }
  }

  private static MemoryRecords batch(long n) {
    return ClientBatch.of(n * ClientBatch.records(BATCH_BYTES), BATCH_BYTES);
  }

  @Benchmark
  public SegmentFooter footer() {
    return SegmentFooter.decode(tail.duplicate());
  }

  @Benchmark
  public SegmentIndex tail() {
    return SegmentFormat.decode(tail.duplicate());
  }
}
