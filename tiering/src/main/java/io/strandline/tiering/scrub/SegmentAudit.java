package io.strandline.tiering.scrub;

import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.BatchScan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.crypt.KeylessCheck;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.IntFunction;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads one segment from its first byte to its last, in pieces, and holds it against its entry.
 * Used once; a piece at a time.
 */
final class SegmentAudit {
  private final ObjectStore store;
  private final TopicIdPartition partition;
  private final SegmentEntry entry;
  private final List<AuditFinding> findings = new ArrayList<>();
  private final CRC32C whole = new CRC32C();
  private final CRC32C data = new CRC32C();
  private final ByteBuffer tail;
  private final BatchScan scan;
  private boolean batchesSound = true;
  private long nextOffset;
  private long missingOffsets;
  private long firstHole = -1;
  private int batches;
  private long records;
  private int dataCrc;
  private boolean answered;
  private StoreException.@Nullable Unavailable away;

  SegmentAudit(ObjectStore store, TopicIdPartition partition, SegmentEntry entry) {
    this.store = store;
    this.partition = partition;
    this.entry = entry;
    this.nextOffset = entry.baseOffset();
    this.scan = new BatchScan(entry.baseOffset(), entry.endOffset(), this::batch);
    this.tail = ByteBuffer.allocate(tailBytes(entry));
  }

  /** An absurd length is told when the tail is decoded. */
  private static int tailBytes(SegmentEntry entry) {
    try {
      return SegmentFormat.tailBytes(entry);
    } catch (SegmentFormatException absurd) {
      return 0;
    }
  }

  /**
   * How it is read.
   *
   * @param pieceBytes of one GET at most
   * @param before asked before each GET of so many bytes; a failure ends the reading
   * @param read told of bytes as they are read
   * @param executor sums them up
   */
  record Way(
      int pieceBytes,
      IntFunction<CompletableFuture<Void>> before,
      LongConsumer read,
      Executor executor) {}

  /**
   * @param listed what the store said of the object, if it was asked already
   */
  CompletableFuture<List<AuditFinding>> run(@Nullable ObjectInfo listed, Way way) {
    return (listed == null
            ? store.head(entry.object())
            : CompletableFuture.completedFuture(Optional.of(listed)))
        .thenCompose(
            info -> {
              answered = true;
              if (info.isEmpty()) {
                found(Kind.MISSING, "no object of this name");
              } else if (lengthHolds(info.get())) {
                return readFrom(0, way).thenRun(this::compare);
              }
              return CompletableFuture.completedFuture(null);
            })
        .exceptionallyComposeAsync(thrown -> unread(thrown, way), way.executor)
        .thenApplyAsync(done -> findings, way.executor);
  }

  /**
   * After the run, what kept it from reading, if that was the store as a whole: it did not answer,
   * or refused the first request already.
   */
  StoreException.@Nullable Unavailable away() {
    return away;
  }

  private CompletableFuture<Void> unread(Throwable thrown, Way way) {
    StoreException failure = failure(thrown);
    if (failure instanceof StoreException.Undeciphered undeciphered) {
      return undeciphered(undeciphered, way);
    }
    unread(failure);
    return CompletableFuture.completedFuture(null);
  }

  private static StoreException failure(Throwable thrown) {
    if (thrown.getCause() instanceof CancellationException given) {
      throw given;
    }
    return StoreException.of(thrown);
  }

  private void unread(StoreException failure) {
    boolean gone = failure instanceof StoreException.NotFound;
    String why = String.valueOf(failure.getMessage());
    if (failure instanceof StoreException.Unavailable known) {
      away = known;
    } else if (!answered && !gone) {
      away = new StoreException.Unavailable(why, failure);
    }
    found(gone ? Kind.MISSING : Kind.UNREAD, why);
  }

  /** Without its key an object can still be the one that was stored, or not. */
  private CompletableFuture<Void> undeciphered(StoreException.Undeciphered failure, Way way) {
    String why = String.valueOf(failure.getMessage());
    if (failure.lackingKey().isEmpty() || !(store instanceof EncryptedObjectStore encrypted)) {
      found(Kind.CHECKSUM, why);
      return CompletableFuture.completedFuture(null);
    }
    return encrypted
        .keyless(new KeylessCheck.Pace(way.before, way.read, way.executor))
        .damage(entry.object())
        .handle(
            (damage, thrown) -> {
              if (thrown != null) {
                unread(failure(thrown));
              } else {
                found(damage.isPresent() ? Kind.CHECKSUM : Kind.LOCKED, damage.orElse(why));
              }
              return null;
            });
  }

  /** A segment that is alone in its object, as its name says, ends where the object ends. */
  private boolean lengthHolds(ObjectInfo info) {
    long end = entry.positionBytes() + entry.lengthBytes();
    boolean alone = entry.positionBytes() == 0 && SegmentId.parse(entry.object()).isPresent();
    if (info.lengthBytes() < end || (alone && info.lengthBytes() > end)) {
      found(Kind.LENGTH, info.lengthBytes() + " bytes, the manifest says " + end);
      return false;
    }
    return true;
  }

  private CompletableFuture<Void> readFrom(long at, Way way) {
    if (at >= entry.lengthBytes()) {
      dataCrc = (int) data.getValue();
      return CompletableFuture.completedFuture(null);
    }
    boolean inData = at < entry.dataBytes();
    long left = (inData ? entry.dataBytes() : entry.lengthBytes()) - at;
    int length = (int) Math.min(way.pieceBytes, left);
    return way.before
        .apply(length)
        .thenCompose(go -> store.get(entry.object(), entry.positionBytes() + at, length))
        .thenComposeAsync(
            piece -> {
              take(piece, inData);
              way.read.accept(length);
              return readFrom(at + length, way);
            },
            way.executor);
  }

  private void take(ByteBuffer piece, boolean inData) {
    whole.update(piece.duplicate());
    if (inData) {
      data.update(piece.duplicate());
      feed(piece);
    } else if (tail.remaining() >= piece.remaining()) {
      tail.put(piece);
    }
  }

  private void feed(ByteBuffer piece) {
    if (!batchesSound) {
      return;
    }
    try {
      scan.feed(piece);
    } catch (SegmentFormatException e) {
      batchesSound = false;
      found(Kind.CONTENT, String.valueOf(e.getMessage()));
    }
  }

  private void batch(BatchHeader header, long positionBytes) {
    hole(header.baseOffset());
    nextOffset = header.lastOffset() + 1;
    batches++;
    records += header.recordCount();
  }

  private void hole(long toOffset) {
    if (toOffset > nextOffset) {
      firstHole = firstHole < 0 ? nextOffset : firstHole;
      missingOffsets += toOffset - nextOffset;
    }
  }

  private void compare() {
    if ((int) whole.getValue() != entry.crc32c()) {
      found(Kind.CHECKSUM, "the whole segment's CRC32C is not the manifest's");
    }
    try {
      SegmentFooter footer = SegmentFormat.decode(entry, tail.flip()).footer();
      if (dataCrc != footer.dataCrc32c()) {
        found(Kind.CHECKSUM, "the batches' CRC32C is not the footer's");
      }
      if (batchesSound) {
        scan.finish();
        compareBatches(footer.facts());
      }
    } catch (SegmentFormatException e) {
      found(Kind.CONTENT, String.valueOf(e.getMessage()));
    }
  }

  private void compareBatches(SegmentFooter.Facts facts) {
    if (batches != facts.batchCount() || records != facts.recordCount()) {
      found(
          Kind.CONTENT,
          batches
              + " batches with "
              + records
              + " records, the footer says "
              + facts.batchCount()
              + " with "
              + facts.recordCount());
    }
    hole(entry.endOffset());
    if (missingOffsets > 0) {
      findings.add(
          new AuditFinding(
              Kind.HOLE,
              Optional.of(partition),
              Optional.of(entry.object()),
              firstHole,
              entry.endOffset(),
              missingOffsets + " offsets have no batch"));
    }
  }

  private void found(Kind kind, String detail) {
    findings.add(AuditFinding.of(kind, partition, entry, detail));
  }
}
