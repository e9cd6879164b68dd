package io.strandline.tiering.rewrite;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.upkeep.Chore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies the segments of a restored topic out of another cluster's store (design D16), one a turn,
 * the oldest first: each copy is one {@link Swap}, so that a crash leaves the one or the other
 * named, and whoever leads next goes on with the first that is not copied. All the broker's copies
 * together keep to one rate.
 *
 * <p>The copy is a segment of this partition like any other: its batches stand in {@link
 * SegmentEntry#FOREIGN_EPOCH}, as they were shown before, and it tells nothing of producers. Bytes
 * that are not what the manifest names are not copied: the segment stays foreign, is passed over
 * and tried again with the next walk.
 */
public final class ForeignCopy implements Chore {
  private static final Logger LOG = LoggerFactory.getLogger(ForeignCopy.class);
  private static final int STRETCH = 512;
  private static final long REFUSED_MS = 1_000;
  private static final long DAMAGED_MS = 10 * 60 * 1000L;

  private final Rewriting rewriting;
  private final BooleanSupplier wanted;
  private volatile long pauseMs;
  private volatile boolean done;
  private long fromOffset; // the turn's, as are those below
  private int damaged;

  /**
   * @param wanted whether this partition's foreign segments are to be copied; does not block
   */
  public ForeignCopy(Rewriting rewriting, BooleanSupplier wanted) {
    this.rewriting = rewriting;
    this.wanted = wanted;
  }

  @Override
  public String name() {
    return "copy";
  }

  @Override
  public boolean beside() {
    return true;
  }

  @Override
  public long pauseMs(int done) {
    return pauseMs;
  }

  /** Whether something is to be copied, as far as it is known. */
  public boolean underWay() {
    return !done && wanted.getAsBoolean();
  }

  @Override
  public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
    pauseMs = rewriting.config().checkMs();
    if (!underWay() || left.getAsBoolean()) {
      return none();
    }
    long waitMs = rewriting.untilCopyMs();
    if (waitMs > 0) {
      pauseMs = waitMs;
      return none();
    }
    // Asks the store only if the outcome of an earlier step is open.
    return writer
        .committed(Math.max(fromOffset, writer.view().startOffset()), STRETCH)
        .thenComposeAsync(
            some -> {
              for (var committed : some) {
                if (rewriting.foreign(committed.entry(), writer.view().partition())) {
                  fromOffset = committed.entry().baseOffset();
                  return inLane(writer, committed.entry(), left);
                }
              }
              walked(writer.view(), some.isEmpty() ? null : some.get(some.size() - 1).entry());
              return none();
            },
            rewriting.executor());
  }

  private void walked(ManifestView view, @Nullable SegmentEntry last) {
    pauseMs = 0;
    if (last != null && last.endOffset() < view.endOffset()) {
      fromOffset = last.endOffset();
    } else if (damaged > 0) {
      damaged = 0;
      fromOffset = 0;
      pauseMs = DAMAGED_MS;
    } else {
      done = true;
      pauseMs = rewriting.config().checkMs();
      LOG.atInfo()
          .addKeyValue("partition", view.partition())
          .addKeyValue("offset", view.endOffset())
          .log("all of it lies in this cluster's store");
    }
  }

  private CompletableFuture<Integer> inLane(
      ManifestWriter writer, SegmentEntry entry, BooleanSupplier left) {
    if (!rewriting.lane().enter(writer.view().partition())) {
      pauseMs = Math.min(pauseMs, REFUSED_MS);
      return none();
    }
    return CompletableFuture.completedFuture(entry)
        .thenCompose(chosen -> copy(writer, chosen, left))
        .whenComplete((done, failure) -> rewriting.lane().leave(writer.view().partition()))
        .exceptionallyCompose(failure -> settle(failure, writer, entry));
  }

  private CompletableFuture<Integer> copy(
      ManifestWriter writer, SegmentEntry entry, BooleanSupplier left) {
    RewrittenFile file;
    try {
      file = rewriting.newFile(entry.dataBytes());
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new UncheckedIOException(e));
    }
    return CompletableFuture.completedFuture(file)
        .thenCompose(
            open ->
                new Copy(writer, entry, open, rewriting.pieces(entry.ownerCluster(), left)).run())
        .whenComplete((done, failure) -> file.close());
  }

  private CompletableFuture<Integer> settle(
      Throwable failure, ManifestWriter writer, SegmentEntry entry) {
    Throwable inner = failure instanceof CompletionException ? failure.getCause() : null;
    Throwable cause = inner == null ? failure : inner;
    if (cause instanceof LeftException) {
      return none();
    }
    if (cause instanceof SegmentFormatException || isGone(cause)) {
      damaged++;
      fromOffset = entry.endOffset();
      pauseMs = 0;
      LOG.atError()
          .addKeyValue("partition", writer.view().partition())
          .addKeyValue("object", entry.object())
          .addKeyValue("reason", cause.toString())
          .log("cannot be copied: offsets {} to {}", entry.baseOffset(), entry.endOffset() - 1);
      return none();
    }
    return CompletableFuture.failedFuture(failure);
  }

  private static boolean isGone(Throwable cause) {
    return cause instanceof StoreException.NotFound || cause instanceof StoreException.OutOfRange;
  }

  private static CompletableFuture<Integer> none() {
    return CompletableFuture.completedFuture(0);
  }

  /** One segment on its way. */
  private final class Copy {
    private final ManifestWriter writer;
    private final SegmentEntry entry;
    private final RewrittenFile file;
    private final SegmentPieces pieces;
    private final CRC32C sum = new CRC32C();

    Copy(ManifestWriter writer, SegmentEntry entry, RewrittenFile file, SegmentPieces pieces) {
      this.writer = writer;
      this.entry = entry;
      this.file = file;
      this.pieces = pieces;
    }

    CompletableFuture<Integer> run() {
      return pieces
          .each(
              entry,
              (batches, end) -> {
                sum.update(batches.duplicate());
                file.append(BatchHeader.inEpoch(batches, SegmentEntry.FOREIGN_EPOCH));
                return true;
              })
          .thenCompose(copied -> pieces.tail(entry))
          .thenComposeAsync(this::swap, rewriting.executor())
          .thenApply(
              view -> {
                rewriting.copied(entry.lengthBytes());
                pauseMs = rewriting.untilCopyMs();
                return 1;
              });
    }

    private CompletableFuture<ManifestView> swap(ByteBuffer tail) {
      sum.update(tail.duplicate());
      if ((int) sum.getValue() != entry.crc32c()) {
        throw new SegmentFormatException(
            "the CRC32C of " + entry.object() + " is not the manifest's");
      }
      SegmentIndex index = SegmentFormat.decode(entry, tail);
      long start = Math.min(entry.baseOffset(), writer.view().startOffset());
      return new Swap(rewriting, writer)
          .replace(
              List.of(entry),
              file,
              index.abortedTransactions(0, Long.MAX_VALUE),
              new Swap.End(
                  List.of(new EpochStart(SegmentEntry.FOREIGN_EPOCH, start)), Optional.empty()),
              writer.view().compaction());
    }
  }
}
