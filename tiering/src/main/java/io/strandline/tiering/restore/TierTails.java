package io.strandline.tiering.restore;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.OwnedStores;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** Reads {@link TierTail}s. Threads: any; no method blocks. */
public final class TierTails {
  private final OwnedStores stores;
  private final Manifests manifests;

  public TierTails(OwnedStores stores, Manifests manifests) {
    this.stores = stores;
    this.manifests = manifests;
  }

  /**
   * The end of a partition's tier, read now. Cost: the opening of a manifest, at most one page and
   * one ranged GET; one LIST for a partition that was never tiered.
   *
   * @return fails with a {@code StoreException}, a {@code SegmentFormatException} or a {@code
   *     CorruptManifestException}
   */
  public CompletableFuture<TierTail> read(TopicIdPartition partition) {
    return manifests.read(partition).thenCompose(this::of);
  }

  /** The end of this version. */
  public CompletableFuture<TierTail> of(ManifestView view) {
    if (view.segmentCount() == 0) {
      return CompletableFuture.completedFuture(tail(view, List.of(), Optional.empty(), -1));
    }
    return view.from(view.endOffset() - 1, 1)
        .thenCompose(
            last ->
                last.get(0).appendedTo(view.partition())
                    ? own(view, last.get(0))
                    : foreign(view, last.get(0)));
  }

  /**
   * The end of this version, without which transactions of another partition's were aborted:
   * nothing is asked of the store that its segments lie in.
   */
  public CompletableFuture<TierTail> ofOwn(ManifestView view) {
    if (view.segmentCount() == 0) {
      return of(view);
    }
    return view.from(view.endOffset() - 1, 1)
        .thenCompose(
            last ->
                last.get(0).appendedTo(view.partition())
                    ? own(view, last.get(0))
                    : CompletableFuture.completedFuture(foreign(view, List.of(), last.get(0))));
  }

  private CompletableFuture<TierTail> own(ManifestView view, SegmentEntry last) {
    return index(last)
        .thenApply(
            index -> tail(view, List.of(index), index.producerSnapshot(), last.maxTimestamp()));
  }

  /**
   * Of another partition's leaders and producers nothing is taken over (design D16), but which
   * transactions were aborted.
   */
  private CompletableFuture<TierTail> foreign(ManifestView view, SegmentEntry last) {
    return last.abortedTransactions()
        ? index(last)
            .thenApply(index -> foreign(view, index.abortedTransactions(0, Long.MAX_VALUE), last))
        : CompletableFuture.completedFuture(foreign(view, List.of(), last));
  }

  private static TierTail foreign(
      ManifestView view, List<AbortedTransaction> aborted, SegmentEntry last) {
    return new TierTail(
        view.partition(),
        view.version(),
        view.leaderEpoch(),
        view.startOffset(),
        view.endOffset(),
        view.deleted(),
        List.of(new EpochStart(SegmentEntry.FOREIGN_EPOCH, view.startOffset())),
        aborted,
        Optional.empty(),
        last.maxTimestamp());
  }

  private static TierTail tail(
      ManifestView view,
      List<SegmentIndex> last,
      Optional<java.nio.ByteBuffer> snapshot,
      long timestampMs) {
    return new TierTail(
        view.partition(),
        view.version(),
        view.leaderEpoch(),
        view.startOffset(),
        view.endOffset(),
        view.deleted(),
        last.stream().flatMap(index -> index.leaderEpochs().stream()).toList(),
        last.stream()
            .flatMap(index -> index.abortedTransactions(0, Long.MAX_VALUE).stream())
            .toList(),
        snapshot,
        timestampMs);
  }

  private CompletableFuture<SegmentIndex> index(SegmentEntry entry) {
    return stores
        .of(entry.ownerCluster())
        .get(entry.object(), SegmentFormat.tailPositionBytes(entry), SegmentFormat.tailBytes(entry))
        .thenApply(tail -> SegmentFormat.decode(entry, tail));
  }
}
