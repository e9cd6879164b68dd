package io.strandline.broker.partition;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRequest;
import io.strandline.tiering.reclaim.LocalSegments;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.server.storage.log.FetchIsolation;

/** Reads of one log, from wherever the offset lies: the hot log, or history through replay. */
record LogReads(PartitionLog log, LocalSegments local, Replay replay, Executor reads) {
  PartitionRead read(ReadRequest request, PartitionRead.Marks marks) {
    boolean local = request.offset() >= log.localLogStartOffset();
    if (local && request.offset() < marks.upperBound() && !log.hot(request.offset())) {
      return new PartitionRead.Old(
          marks, CompletableFuture.supplyAsync(() -> readNow(request, marks, true), reads));
    }
    return readNow(request, marks, false);
  }

  /**
   * @param mayBlock the region is brought into the page cache, for others to send it
   */
  private PartitionRead readNow(ReadRequest request, PartitionRead.Marks marks, boolean mayBlock) {
    long offset = request.offset();
    if (offset >= log.localLogStartOffset()) {
      try {
        return hot(request, marks, mayBlock);
      } catch (OffsetOutOfRangeException e) {
        if (offset >= log.localLogStartOffset() || offset < log.logStartOffset()) {
          throw e;
        } // else the tier released what we were about to read
      }
    }
    if (offset < log.logStartOffset()) {
      throw new OffsetOutOfRangeException(
          log.partition() + " begins at " + log.logStartOffset() + ", not at " + offset);
    }
    if (request.hotAlone()) {
      return new PartitionRead.Left(marks);
    }
    return new PartitionRead.Cold(
        marks,
        replay.read(history(request, marks)).exceptionallyCompose(failure -> why(failure, offset)));
  }

  /**
   * The tier does not have an offset that the log has. If the tier begins above, the log start has
   * moved once and was forgotten in a crash, or is not known to this leader yet: it is learnt, and
   * the offset is out of range. Otherwise what lay there is missing, and a reader told that it is
   * out of range would jump to where its policy says and skip records unnoticed (design D10). The
   * log start moves before the tier's does, so retention is not mistaken for a loss.
   */
  private <T> CompletableFuture<T> why(Throwable failure, long offset) {
    Throwable wrapped = failure instanceof CompletionException ? failure.getCause() : null;
    Throwable cause = wrapped == null ? failure : wrapped;
    boolean missed =
        cause instanceof ReplayException replayed
            && replayed.kind() == ReplayException.Kind.OUT_OF_RANGE
            && offset >= log.logStartOffset();
    if (!missed) {
      return CompletableFuture.failedFuture(cause);
    }
    return replay
        .range(log.partition())
        .thenComposeAsync(
            tier -> {
              if (tier.startOffset() > offset) {
                local.advanceLogStart(Math.min(tier.startOffset(), log.logEndOffset()));
                return CompletableFuture.failedFuture(cause);
              }
              return CompletableFuture.failedFuture(
                  new ReplayException(
                      ReplayException.Kind.CORRUPT,
                      log.partition() + " misses " + offset + " in the tier",
                      cause));
            },
            reads);
  }

  /**
   * Where the history of the follower that asks leaves this one, if it does (KIP-595).
   *
   * @param newest the epoch of its newest batch; without one nothing is compared
   */
  Optional<EpochEnd> diverging(ReadRequest request, OptionalInt newest, long logStartOffset) {
    if (newest.isEmpty()) {
      return Optional.empty();
    }
    int epoch = newest.getAsInt();
    EpochEnd end =
        log.endOffsetForEpoch(epoch)
            .orElseThrow(
                () ->
                    new OffsetOutOfRangeException(
                        log.partition() + " knows nothing of epoch " + epoch));
    if (request.offset() < logStartOffset) {
      throw new OffsetOutOfRangeException(log.partition() + " begins at " + logStartOffset);
    }
    return end.leaderEpoch() < epoch || end.endOffset() < request.offset()
        ? Optional.of(end)
        : Optional.empty();
  }

  private PartitionRead hot(ReadRequest request, PartitionRead.Marks marks, boolean mayBlock) {
    LogRead read = readLocal(request, marks.upperBound());
    try {
      if (mayBlock) {
        read.load();
      }
      boolean committedOnly = request.isolation() == FetchIsolation.TXN_COMMITTED;
      List<AbortedTransaction> aborted =
          committedOnly ? log.abortedTransactions(request.offset(), read.nextOffset()) : null;
      if (committedOnly && request.offset() < log.localLogStartOffset()) {
        // Released since it was read: its list of aborted transactions may have gone before.
        throw new OffsetOutOfRangeException(log.partition() + " released " + request.offset());
      }
      return new PartitionRead.Hot(marks, read, aborted);
    } catch (RuntimeException | Error failure) {
      read.close();
      throw failure;
    }
  }

  private LogRead readLocal(ReadRequest request, long upperBound) {
    if (request.offset() > log.logEndOffset()) {
      throw new OffsetOutOfRangeException(
          log.partition() + " ends at " + log.logEndOffset() + ", before " + request.offset());
    }
    return log.read(request.offset(), request.maxBytes(), upperBound, request.atLeastOneBatch());
  }

  private ReplayRequest history(ReadRequest request, PartitionRead.Marks marks) {
    return new ReplayRequest(
        log.partition(),
        request.offset(),
        marks.upperBound(),
        request.maxBytes(),
        request.atLeastOneBatch(),
        request.isolation() == FetchIsolation.TXN_COMMITTED,
        request.reader(),
        request.gone());
  }
}
