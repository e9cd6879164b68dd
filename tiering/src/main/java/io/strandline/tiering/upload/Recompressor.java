package io.strandline.tiering.upload;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentFormatException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes segments again with their batches compressed by zstd, or in the format that can be tiered,
 * into local files that stay until they were uploaded: so many at a time, with so many bytes
 * together. It has threads of its own, so that other topics' uploads do not wait for it.
 *
 * <p>Whatever goes wrong, a full disk for one, leaves the segment to go up as it is. Threads: any.
 */
public final class Recompressor {
  private static final Logger LOG = LoggerFactory.getLogger(Recompressor.class);
  private static final int FILES_MAX = 4;
  private static final long BYTES_MAX = 2L << 30;
  private static final int BATCH_BYTES_MAX = 64 << 20;
  private static final String SUFFIX = ".recompressed";

  /**
   * What it works with.
   *
   * @param executor blocks on disk and computes; of recompression alone
   * @param scratch a directory of its own, which need not be there
   * @param bounds what a batch may decode to, or it stays as it is
   */
  public record Workshop(
      Executor executor, Path scratch, BatchBounds bounds, MeterRegistry metrics) {}

  private final RecompressionPolicy policy;
  private final @Nullable Workshop workshop;
  private final Admission admission = new Admission(FILES_MAX, BYTES_MAX);
  private @Nullable Counter bytesIn;
  private @Nullable Counter bytesOut;

  private Recompressor(RecompressionPolicy policy, @Nullable Workshop workshop) {
    this.policy = policy;
    this.workshop = workshop;
  }

  /** Leaves everything as it is. */
  public static Recompressor none() {
    return new Recompressor(RecompressionPolicy.none(), null);
  }

  /** Empties the scratch directory of what a crash left there. */
  public static Recompressor open(RecompressionPolicy policy, Workshop workshop)
      throws IOException {
    Recompressor recompressor = new Recompressor(policy, workshop);
    recompressor.bytesIn = bytes(workshop, "in", "Bytes of segments before recompression.");
    recompressor.bytesOut = bytes(workshop, "out", "Bytes of segments after recompression.");
    Files.createDirectories(workshop.scratch());
    try (Stream<Path> left = Files.list(workshop.scratch())) {
      for (Path file : left.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
        Files.delete(file);
      }
    }
    return recompressor;
  }

  private static Counter bytes(Workshop workshop, String way, String description) {
    return Counter.builder("strandline.tiering.recompress.bytes")
        .tag("way", way)
        .baseUnit("bytes")
        .description(description)
        .register(workshop.metrics());
  }

  /** A segment's file written again; gone when closed. */
  static final class Rewritten implements AutoCloseable {
    private final Path file;
    private final long bytes;
    private final FileMark original;
    private final Runnable released;

    private Rewritten(Path file, long bytes, FileMark original, Runnable released) {
      this.file = file;
      this.bytes = bytes;
      this.original = original;
      this.released = released;
    }

    Path file() {
      return file;
    }

    long bytes() {
      return bytes;
    }

    /** What the segment's own file was when it was read. */
    FileMark original() {
      return original;
    }

    @Override
    public void close() {
      deleteQuietly(file);
      released.run();
    }
  }

  /** The segment written again, if its topic wants it and it became shorter; never fails. */
  CompletableFuture<Optional<Rewritten>> rewrite(SealedSegment segment) {
    OptionalInt level = policy.level(segment.partition().topic());
    Workshop in = workshop;
    if (level.isEmpty() || in == null) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    long bytes = segment.logBytes();
    return admission
        .enter(bytes)
        .thenApplyAsync(admitted -> rewrite(segment, level.getAsInt(), in), in.executor())
        .handle(
            (rewritten, failure) -> {
              Optional<Rewritten> done = failure == null ? rewritten : told(segment, failure);
              if (done.isEmpty()) {
                admission.leave(bytes);
              }
              return done;
            });
  }

  private static Optional<Rewritten> told(SealedSegment segment, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    LOG.atWarn()
        .addKeyValue("partition", segment.partition())
        .addKeyValue("segment", segment.baseOffset())
        .addKeyValue("reason", String.valueOf(cause))
        .log("a segment goes up without being compressed again");
    return Optional.empty();
  }

  private Optional<Rewritten> rewrite(SealedSegment segment, int level, Workshop in) {
    Path file = null;
    try {
      FileMark original = FileMark.of(segment.log());
      file = Files.createTempFile(in.scratch(), "segment", SUFFIX);
      BatchRecompression codec = new BatchRecompression(level, in.bounds());
      long bytes = write(segment.log(), segment.logBytes(), file, codec);
      if (bytes >= segment.logBytes()) {
        deleteQuietly(file);
        return Optional.empty();
      }
      count(segment.logBytes(), bytes);
      return Optional.of(
          new Rewritten(file, bytes, original, () -> admission.leave(segment.logBytes())));
    } catch (IOException | SegmentFormatException e) {
      if (file != null) {
        deleteQuietly(file);
      }
      throw new CompletionException(e);
    }
  }

  /**
   * The segment written again with batches of magic 2 only, if it has older ones; blocks. As many
   * at a time as uploads.
   *
   * @param fromOffset no batch reaches over it
   * @throws SegmentFormatException if what is there is damaged
   */
  Optional<Rewritten> converted(SealedSegment segment, long fromOffset) throws IOException {
    Workshop at = workshop;
    if (at == null) {
      return Optional.empty();
    }
    FileMark original = FileMark.of(segment.log());
    Path file = null;
    boolean done = false;
    try (FileChannel in = FileChannel.open(segment.log(), StandardOpenOption.READ)) {
      if (!OldBatches.isIn(in, segment.logBytes())) {
        return Optional.empty();
      }
      file = Files.createTempFile(at.scratch(), "segment", SUFFIX);
      try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
        long bytes =
            new OldBatches(in, out, segment.leaderEpochs(), fromOffset, at.bounds())
                .write(segment.logBytes());
        done = true;
        return Optional.of(new Rewritten(file, bytes, original, () -> {}));
      }
    } finally {
      if (file != null && !done) {
        deleteQuietly(file);
      }
    }
  }

  private void count(long before, long after) {
    if (bytesIn != null && bytesOut != null) {
      bytesIn.increment((double) before);
      bytesOut.increment((double) after);
    }
  }

  /** Batch by batch; what is no batch any more goes as it is, for the encoder to find. */
  private static long write(Path log, long logBytes, Path file, BatchRecompression codec)
      throws IOException {
    ByteBuffer head = ByteBuffer.allocate(BatchHeader.BYTES);
    ByteBuffer batch = ByteBuffer.allocate(1 << 20);
    try (FileChannel in = FileChannel.open(log, StandardOpenOption.READ);
        FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long at = 0;
      while (at < logBytes) {
        readFully(in, head.clear(), at);
        int bytes = BatchHeader.parse(head.flip()).sizeBytes();
        if (bytes > BATCH_BYTES_MAX || bytes > logBytes - at) {
          throw new SegmentFormatException("a batch of " + bytes + " bytes at " + at);
        }
        batch = batch.capacity() < bytes ? ByteBuffer.allocate(bytes) : batch;
        readFully(in, batch.clear().limit(bytes), at);
        batch.flip();
        writeFully(out, codec.shorter(batch).orElse(batch));
        at += bytes;
      }
      return out.position();
    }
  }

  static void readFully(FileChannel in, ByteBuffer into, long position) throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int read = in.read(into, at);
      if (read < 0) {
        throw new EOFException("the log file ends at " + at);
      }
      at += read;
    }
  }

  static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void deleteQuietly(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.atWarn().addKeyValue("path", file).setCause(e).log("a scratch file stays");
    }
  }
}
