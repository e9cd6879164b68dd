package io.strandline.broker.log;

/** One file of batches with its indexes. */
final class LogSegment {
  void release() {}
}
