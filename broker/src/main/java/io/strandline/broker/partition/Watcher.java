package io.strandline.broker.partition;

import java.util.concurrent.Executor;

/**
 * Told that something about a partition changed that a reader could see: end offset, high
 * watermark, last stable offset, log start, leadership, tier.
 *
 * <p>Called after the change, on the thread that made it, when the partition is free again: it may
 * read partitions, and must be short and never block. Several changes may be told at once, and a
 * call may come late.
 */
@FunctionalInterface
public interface Watcher {
  /**
   * @param wakes carries out what this leads to, now or when the request that changed the partition
   *     has changed others too
   */
  void changed(PartitionRead.Source partition, Executor wakes);
}
