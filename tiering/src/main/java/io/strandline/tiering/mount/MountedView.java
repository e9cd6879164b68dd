package io.strandline.tiering.mount;

import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** A version of another cluster's manifest, as that of a partition of this one. */
record MountedView(TopicIdPartition partition, ManifestView origin) implements ManifestView {
  @Override
  public long version() {
    return origin.version();
  }

  @Override
  public int leaderEpoch() {
    return origin.leaderEpoch();
  }

  @Override
  public long startOffset() {
    return origin.startOffset();
  }

  @Override
  public long endOffset() {
    return origin.endOffset();
  }

  @Override
  public long sizeBytes() {
    return origin.sizeBytes();
  }

  @Override
  public int segmentCount() {
    return origin.segmentCount();
  }

  @Override
  public boolean deleted() {
    return origin.deleted();
  }

  @Override
  public int retiredCount() {
    return 0;
  }

  @Override
  public Compaction compaction() {
    return origin.compaction();
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> find(long offset) {
    return origin.find(offset);
  }

  @Override
  public CompletableFuture<List<SegmentEntry>> from(long offset, int max) {
    return origin.from(offset, max);
  }

  /** What retired there is not ours to look after. */
  @Override
  public CompletableFuture<List<RetiredSegment>> retired(int max) {
    return CompletableFuture.completedFuture(List.of());
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> firstReaching(long timestampMs, long offset) {
    return origin.firstReaching(timestampMs, offset);
  }

  @Override
  public CompletableFuture<Long> bytesFrom(long offset) {
    return origin.bytesFrom(offset);
  }

  @Override
  public CompletableFuture<Optional<SegmentEntry>> maxTimestampSegment() {
    return origin.maxTimestampSegment();
  }
}
