package io.strandline.broker.partition;

/**
 * Told each new high watermark of one tenure of leadership, ascending. Called by the owner of the
 * partition while it holds the partition: cheap, never blocking, never calling back into it.
 */
@FunctionalInterface
public interface HighWatermarkListener {
  void advanced(long highWatermark);
}
