package io.strandline.broker.restore;

import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.replay.Replay;
import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.restore.TierTails;
import java.io.IOException;
import java.io.UncheckedIOException;
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
 */
public final class LogRefill {
  private static final Logger LOG = LoggerFactory.getLogger(LogRefill.class);

  private final TierTails tails;
  private final Replay replay;
  private final Executor disk;

  /**
   * @param disk where steps run that block on local files
   */
  public LogRefill(TierTails tails, Replay replay, Executor disk) {
    this.tails = tails;
    this.replay = replay;
    this.disk = disk;
  }

  /**
   * @return fails if the store can not be asked, or the end of the tier is damaged
   */
  public CompletableFuture<Void> fill(LogNursery nursery) {
    return tails
        .read(nursery.partition())
        .thenComposeAsync(
            tail ->
                whole(nursery.partition())
                    ? download(nursery, tail)
                    : CompletableFuture.completedFuture(tail),
            disk)
        .thenAcceptAsync(tail -> end(nursery, tail), disk);
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

  private static void end(LogNursery nursery, TierTail tail) {
    if (tail.endOffset() == 0) {
      return;
    }
    try {
      nursery.bounds(tail.startOffset(), tail.endOffset());
      nursery.epochs(tail.epochs());
      if (tail.producerSnapshot().isPresent() && !whole(nursery.partition())) {
        nursery.producers(tail.producerSnapshot().get());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    LOG.atInfo()
        .addKeyValue("partition", nursery.partition())
        .addKeyValue("offset", tail.endOffset())
        .addKeyValue("version", tail.version())
        .log("its log was lost and goes on at the tier's end");
  }
}
