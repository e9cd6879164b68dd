package io.strandline.broker.partition;

/**
 * Told that something about a partition changed that a reader could see: end offset, high
 * watermark, last stable offset, log start, leadership, tier.
 *
 * <p>Called by the owner of the partition while it holds the partition: cheap, never blocking,
 * never calling back into a partition. Several changes may be told at once.
 */
@FunctionalInterface
public interface Watcher {
  void changed(Partition partition);
}
