package io.strandline.broker.restore;

import io.strandline.broker.log.nursery.OpenTransactions;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicIdPartition;

/**
 * What is left of one partition.
 *
 * @param savedEpoch leader epoch in the metadata's backup
 * @param deleted the topic was deleted after that backup
 * @param cut transactions whose end is lost, as far as is known
 * @param known how much of it could be read
 */
public record RestoredPartition(
    TopicIdPartition id,
    int savedEpoch,
    int tierEpoch,
    long startOffset,
    long endOffset,
    boolean deleted,
    List<Cut> cut,
    Known known) {
  /** How much could be read. */
  public enum Known {
    ALL,
    /** Not the last segment: where the tier ends, but not which transactions are cut there. */
    BOUNDS,
    /** Nor the manifest: the offsets say nothing. */
    NOTHING
  }

  /**
   * A transaction that began below the end of the tier and ended above it. What of it lies below
   * was decided before it was uploaded, and is read as it was decided; the rest is lost.
   *
   * @param committed else aborted
   */
  public record Cut(long producerId, long firstOffset, boolean committed) {}

  static RestoredPartition of(TopicIdPartition id, TierTail tail, int savedEpoch) {
    return new RestoredPartition(
        id,
        savedEpoch,
        tail.leaderEpoch(),
        tail.startOffset(),
        tail.endOffset(),
        tail.deleted(),
        tail.producerSnapshot().map(s -> cut(s, tail.aborted())).orElse(List.of()),
        Known.ALL);
  }

  static RestoredPartition bounds(TopicIdPartition id, ManifestView view, int savedEpoch) {
    return new RestoredPartition(
        id,
        savedEpoch,
        view.leaderEpoch(),
        view.startOffset(),
        view.endOffset(),
        view.deleted(),
        List.of(),
        Known.BOUNDS);
  }

  /**
   * @param tierEpoch that no leader of before can have had
   */
  static RestoredPartition unread(TopicIdPartition id, int savedEpoch, int tierEpoch) {
    return new RestoredPartition(id, savedEpoch, tierEpoch, 0, 0, false, List.of(), Known.NOTHING);
  }

  private static List<Cut> cut(ByteBuffer snapshot, List<AbortedTransaction> aborted) {
    List<Cut> cut = new ArrayList<>();
    try {
      for (OpenTransactions.Open open : OpenTransactions.in(snapshot)) {
        cut.add(new Cut(open.producerId(), open.firstOffset(), !LogRefill.isAmong(aborted, open)));
      }
    } catch (IOException damaged) {
      throw new java.io.UncheckedIOException(damaged);
    }
    return cut;
  }
}
