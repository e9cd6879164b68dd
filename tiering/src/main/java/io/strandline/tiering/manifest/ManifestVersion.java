package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.TierIndex;
import io.strandline.tiering.manifest.retired.RetiredRun;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * One version of a partition's manifest, as it stands in the store.
 *
 * @param number 1 for the first; 0 is the empty one that was never written
 * @param leaderEpoch of its writer; -1 in the empty one
 * @param nonce drawn for this one attempt at a version and no other, so that "was it mine?" can be
 *     decided
 * @param ancestry nonces of the versions before it, the latest first, at most {@link #ANCESTORS}
 * @param createdMs by its writer's clock
 * @param step how it differs from the one before
 * @param deleted whether it is terminal
 * @param startOffset first offset held
 * @param endOffset offset after the last one held
 * @param segments how many are held
 * @param segmentBytes sum of their lengths
 * @param retiredSegments how many are retired and not yet forgotten
 * @param compaction how far compaction has come; nothing in it lies outside of start and end
 * @param index where to find those held
 * @param retired those retired, oldest first
 * @param dropped pages that left the index, for readers of older versions, oldest first
 */
record ManifestVersion(
    TopicIdPartition partition,
    long number,
    int leaderEpoch,
    Uuid nonce,
    List<Uuid> ancestry,
    long createdMs,
    Step step,
    boolean deleted,
    long startOffset,
    long endOffset,
    int segments,
    long segmentBytes,
    int retiredSegments,
    Compaction compaction,
    TierIndex index,
    List<RetiredRun> retired,
    List<Dropped> dropped) {
  static final int ANCESTORS = 16;

  /** The lawful steps, with their codes on disk. */
  enum Step {
    /** Nothing but the leader epoch. */
    CLAIM(0),
    /** Segments after the end. */
    ADD(1),
    /** A new start; what lies below is retired. */
    ADVANCE_START(2),
    /** Retired segments whose objects are gone. */
    FORGET(3),
    /** The end of the partition. */
    DELETE(4),
    /** Compacted segments in the place of others, or progress of compaction alone. */
    REPLACE(5),
    /** A lower end; no writer yet. */
    TRUNCATE(6);

    private final int code;

    Step(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }

    static Optional<Step> of(int code) {
      return Arrays.stream(values()).filter(step -> step.code == code).findFirst();
    }
  }

  /** A page that no longer stands in the index. */
  record Dropped(PageRef page, long sinceMs) {}

  ManifestVersion {
    ancestry = List.copyOf(ancestry);
    retired = List.copyOf(retired);
    dropped = List.copyOf(dropped);
  }

  static ManifestVersion empty(TopicIdPartition partition) {
    return new ManifestVersion(
        partition,
        0,
        -1,
        Uuid.ZERO_UUID,
        List.of(),
        0,
        Step.CLAIM,
        false,
        0,
        0,
        0,
        0,
        0,
        Compaction.NONE,
        TierIndex.EMPTY,
        List.of(),
        List.of());
  }

  /**
   * Whether it is, or came out of, the attempt with this nonce; of remote ancestors it is silent.
   */
  boolean descendsFrom(Uuid attempt) {
    return nonce.equals(attempt) || ancestry.contains(attempt);
  }

  /** The same as if it listed nothing. */
  ManifestVersion withoutContents() {
    return new ManifestVersion(
        partition,
        number,
        leaderEpoch,
        nonce,
        List.of(),
        createdMs,
        step,
        deleted,
        startOffset,
        endOffset,
        segments,
        segmentBytes,
        retiredSegments,
        compaction,
        TierIndex.EMPTY,
        List.of(),
        List.of());
  }

  /** Pages that the head itself refers to, dropped ones apart. */
  Set<PageRef> pages() {
    return Stream.concat(
            index.pages().stream(), retired.stream().flatMap(run -> run.reference().stream()))
        .collect(Collectors.toSet());
  }
}
