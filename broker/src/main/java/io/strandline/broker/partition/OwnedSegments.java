package io.strandline.broker.partition;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.reclaim.LocalSegments;

/** The local segments as the tier frees them: what changes the log is done by its owner. */
record OwnedSegments(PartitionLog log, Mailbox mailbox) implements LocalSegments {
  @Override
  public long logStartOffset() {
    return log.logStartOffset();
  }

  @Override
  public long localLogStartOffset() {
    return log.localLogStartOffset();
  }

  @Override
  public long logEndOffset() {
    return log.logEndOffset();
  }

  @Override
  public long sizeBytes() {
    return log.sizeBytes();
  }

  @Override
  public void advanceLogStart(long newStartOffset) {
    mailbox.call(
        () -> {
          log.advanceLogStart(newStartOffset);
          return newStartOffset;
        });
  }

  @Override
  public long release(CommittedSegment segment) {
    return mailbox.call(() -> log.release(segment));
  }
}
