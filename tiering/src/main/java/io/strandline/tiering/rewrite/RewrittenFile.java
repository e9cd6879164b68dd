package io.strandline.tiering.rewrite;

import io.strandline.tiering.compact.BatchSink;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * The batches of a segment to be, in a local file that goes with it, and the aborted transactions
 * that a reader of them must know. One thread at a time; blocks on disk.
 */
final class RewrittenFile implements BatchSink, AutoCloseable {
  private final Path path;
  private final FileChannel channel;
  private final List<Path> besides = new ArrayList<>();
  private final Set<AbortedTransaction> ended = new LinkedHashSet<>();
  private final Set<AbortedTransaction> met = new LinkedHashSet<>();

  /** The last data batch in a transaction that stays, by producer. */
  private final Map<Long, Long> lastOffsets = new HashMap<>();

  private final Runnable closed;
  private long bytes;

  private RewrittenFile(Path path, FileChannel channel, Runnable closed) {
    this.path = path;
    this.channel = channel;
    this.closed = closed;
  }

  /**
   * @param path of a file that there is not yet; names that continue it are its too
   * @param closed told once the file is gone
   */
  static RewrittenFile create(Path path, Runnable closed) throws IOException {
    return new RewrittenFile(
        path,
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
        closed);
  }

  Path path() {
    return path;
  }

  long bytes() {
    return bytes;
  }

  @Override
  public void append(MemoryRecords batches, long lastOffset) throws IOException {
    for (RecordBatch batch : batches.batches()) {
      if (batch.isTransactional() && !batch.isControlBatch()) {
        lastOffsets.merge(batch.producerId(), batch.lastOffset(), Math::max);
      }
    }
    append(batches.buffer().duplicate());
  }

  /** Batches as they are. */
  void append(ByteBuffer batches) throws IOException {
    bytes += batches.remaining();
    while (batches.hasRemaining()) {
      channel.write(batches);
    }
  }

  @Override
  public void aborted(AbortedTransaction transaction) {
    ended.add(transaction);
  }

  /** Aborted transactions that a segment read for this file lists. */
  void met(List<AbortedTransaction> transactions) {
    met.addAll(transactions);
  }

  /**
   * The transaction index of the file: those whose marker stays, and those that end above it and of
   * which it holds a batch. To list one whose marker is gone would hide what its producer wrote
   * after it.
   */
  List<AbortedTransaction> transactions(long endOffset) {
    List<AbortedTransaction> listed = new ArrayList<>(ended);
    for (AbortedTransaction open : met) {
      if (open.lastOffset() >= endOffset
          && ended.stream().noneMatch(e -> isSame(e, open))
          && lastOffsets.getOrDefault(open.producerId(), -1L) >= open.firstOffset()) {
        listed.add(open);
      }
    }
    listed.sort(Comparator.comparingLong(AbortedTransaction::lastOffset));
    return listed;
  }

  /** Ended within the file though it was to end above: its log was cut (design D16). */
  private static boolean isSame(AbortedTransaction one, AbortedTransaction other) {
    return one.producerId() == other.producerId() && one.firstOffset() == other.firstOffset();
  }

  /** Another file that lives as long as this one. */
  Path beside(ByteBuffer content) throws IOException {
    Path file = path.resolveSibling(path.getFileName() + "." + besides.size());
    besides.add(file);
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (content.hasRemaining()) {
        out.write(content);
      }
    }
    return file;
  }

  @Override
  public void close() {
    try {
      channel.close();
      Files.deleteIfExists(path);
      for (Path file : besides) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      closed.run();
    }
  }
}
