package io.strandline.broker.restore;

import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.log.nursery.OpenTransactions;
import io.strandline.replay.Replay;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.internals.Topic;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a log that was lost what the tier has of it (design D16). Of an ordinary topic only what is
 * known of its end: leader epochs and producers; its records stay in the tier. An internal topic is
 * fetched whole, because it never lives only in the tier (design D17).
 *
 * <p>The manifest is claimed for the leader's epoch before its end is read: a leader of an earlier
 * epoch that has not heard of its end goes on tiering what only it still has, and what it committed
 * after the end was read would lie under other records of the same offsets.
 */
public final class LogRefill {
  private static final Logger LOG = LoggerFactory.getLogger(LogRefill.class);

  private final TierTails tails;
  private final Manifests manifests;
  private final Replay replay;
  private final Executor disk;

  /**
   * @param manifests whose ends move; what is read of them is what tails reads
   * @param disk where steps run that block on local files
   */
  public LogRefill(TierTails tails, Manifests manifests, Replay replay, Executor disk) {
    this.tails = tails;
    this.manifests = manifests;
    this.replay = replay;
    this.disk = disk;
  }

  /**
   * @param leaderEpoch in which this broker leads and claims the manifest; empty when another does,
   *     and the log goes on with what that one has above the tier's end
   * @param tiered whether leaders of the partition tier it now; where they do not and never did,
   *     nothing is claimed
   * @return fails if the store can not be asked, if a higher epoch has written, or if the end of
   *     the tier is damaged
   */
  public CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch, boolean tiered) {
    return end(nursery.partition(), leaderEpoch, tiered)
        .thenComposeAsync(
            tail ->
                whole(nursery.partition())
                    ? download(nursery, tail)
                    : CompletableFuture.completedFuture(tail),
            disk)
        .thenAcceptAsync(tail -> end(nursery, tail, leaderEpoch), disk);
  }

  /** The end, which nobody of an earlier epoch moves any more. */
  private CompletableFuture<TierTail> end(
      TopicIdPartition partition, OptionalInt leaderEpoch, boolean tiered) {
    return manifests
        .read(partition)
        .thenCompose(
            view ->
                leaderEpoch.isEmpty() || view.deleted() || (view.version() == 0 && !tiered)
                    ? tails.of(view)
                    : manifests
                        .acquire(partition, leaderEpoch.getAsInt())
                        .thenCompose(writer -> tails.of(writer.view())));
  }

  private static boolean whole(TopicIdPartition partition) {
    return Topic.isInternal(partition.topic());
  }

  private CompletableFuture<TierTail> download(LogNursery nursery, TierTail tail) {
    return tail.startOffset() == tail.endOffset()
        ? CompletableFuture.completedFuture(tail)
        : new WholeLog(replay, nursery, disk)
            .copy(tail.startOffset(), tail.endOffset())
            .thenApply(copied -> tail);
  }

  private static void end(LogNursery nursery, TierTail tail, OptionalInt leaderEpoch) {
    if (tail.endOffset() == 0) {
      return;
    }
    try {
      nursery.bounds(tail.startOffset(), tail.endOffset());
      nursery.epochs(tail.epochs());
      // Of transactions that are open there, a leader still has the markers.
      List<OpenTransactions.Open> cut = leaderEpoch.isPresent() ? cut(tail) : List.of();
      Optional<ByteBuffer> producers =
          tail.producerSnapshot().isEmpty() && !cut.isEmpty()
              ? Optional.of(OpenTransactions.snapshot(cut))
              : tail.producerSnapshot();
      if (producers.isPresent() && !whole(nursery.partition())) {
        nursery.producers(producers.get());
      }
      if (!cut.isEmpty()) {
        nursery.ended(cut, open -> isAmong(tail.aborted(), open), leaderEpoch.getAsInt());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    told(nursery, tail);
  }

  /**
   * Transactions whose marker lies above the tier's end. Of another cluster's producers only those
   * are known that were aborted; their epochs mean nothing here, where a producer of the same id is
   * another.
   */
  private static List<OpenTransactions.Open> cut(TierTail tail) throws IOException {
    if (tail.producerSnapshot().isPresent()) {
      return OpenTransactions.in(tail.producerSnapshot().get());
    }
    return tail.aborted().stream()
        .filter(aborted -> aborted.lastOffset() >= tail.endOffset())
        .map(
            aborted ->
                new OpenTransactions.Open(
                    aborted.producerId(),
                    (short) 0,
                    0,
                    aborted.firstOffset(),
                    Math.max(0, tail.timestampMs())))
        .toList();
  }

  static boolean isAmong(List<AbortedTransaction> aborted, OpenTransactions.Open open) {
    return aborted.stream()
        .anyMatch(
            a -> a.producerId() == open.producerId() && a.firstOffset() == open.firstOffset());
  }

  private static void told(LogNursery nursery, TierTail tail) {
    LOG.atInfo()
        .addKeyValue("partition", nursery.partition())
        .addKeyValue("offset", tail.endOffset())
        .addKeyValue("version", tail.version())
        .log("its log begins at the tier's end");
  }
}
