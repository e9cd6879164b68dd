package io.strandline.tiering;

import io.strandline.tiering.reclaim.LocalRelease;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.seal.SealedSegment;
import java.util.List;

/**
 * When the segments that may go up are worth a manifest version: they are many enough, the oldest
 * has waited long enough, or local retention wants it gone from here. What is too little for an
 * object stays here until more comes, or somebody asks for its room. Whatever there is goes up once
 * it has to be compacted, which it is in the tier ({@code max.compaction.lag.ms}, KIP-354).
 * Threads: any.
 */
final class Gathering {
  /** Of one look: so many are never few. */
  private static final int SEGMENTS_MAX = 1024;

  private static final long FEW_AGAIN_MS = 10_000;

  /** A lag that is longer is as good as none, and added to a time it stays one. */
  private static final long NEVER_MS = Long.MAX_VALUE / 2;

  private final GatherConfig config;
  private final int segmentsMax;
  private final TierMember member;
  private final TierLag lag;
  private volatile boolean asked;
  private volatile long fewBytes;
  private volatile long fewUntilMs;

  /** A segment, and when its first batch was written. */
  private record Oldest(long baseOffset, long writtenMs) {}

  /** The last one looked at, so that its file is read once. */
  private volatile Oldest oldest = new Oldest(-1, -1);

  /**
   * @param segmentsMax of one version: so many wait for nothing more
   */
  Gathering(GatherConfig config, int segmentsMax, TierMember member, TierLag lag) {
    this.config = config;
    this.segmentsMax = segmentsMax;
    this.member = member;
    this.lag = lag;
  }

  /** The room of what is here is wanted: whatever is sealed goes up, until nothing is left. */
  void ask() {
    asked = true;
    fewUntilMs = 0;
  }

  boolean asked() {
    return asked;
  }

  /** What is sealed and too little to go up. */
  long fewBytes() {
    return fewBytes;
  }

  /** Looks at what is sealed from an offset on; tells the lag what of it should go up. */
  synchronized void look(long fromOffset, long nowMs) {
    if (waits(nowMs)) {
      return; // few segments are cheap to keep, and a look at each of many partitions is not
    }
    List<SealedSegment> sealed =
        member.source().sealedSegments(fromOffset, Long.MAX_VALUE, SEGMENTS_MAX);
    if (sealed.isEmpty()) {
      asked = false;
    }
    boolean few = !sealed.isEmpty() && few(sealed, nowMs);
    fewUntilMs = few ? Math.min(nowMs + FEW_AGAIN_MS, overdueMs(sealed.get(0))) : 0;
    fewBytes = few ? bytes(sealed) : 0;
    boolean more = sealed.size() == SEGMENTS_MAX;
    lag.measure(few ? List.of() : sealed, more, member.stableOffset().getAsLong(), nowMs);
    while (more) {
      List<SealedSegment> next =
          member.source().sealedSegments(lag.endOffset(), Long.MAX_VALUE, SEGMENTS_MAX);
      lag.add(next, nowMs);
      more = next.size() == SEGMENTS_MAX;
    }
  }

  /** A wait that would be longer than any was begun by a clock that has been set back since. */
  private boolean waits(long nowMs) {
    return nowMs < fewUntilMs && fewUntilMs - nowMs <= 2 * FEW_AGAIN_MS;
  }

  /** Nothing of the partition goes up at all. */
  synchronized void rest(long nowMs) {
    fewUntilMs = 0;
    fewBytes = 0;
    lag.measure(List.of(), Long.MAX_VALUE, nowMs);
  }

  private boolean few(List<SealedSegment> sealed, long nowMs) {
    long newestMs = sealed.stream().mapToLong(SealedSegment::maxTimestamp).max().orElse(-1);
    return !asked
        && !member.policy().get().keepsLocal() // internal: its tier is a backup
        && sealed.size() < SEGMENTS_MAX
        && bytes(sealed) < config.fewBytes()
        && (config.fewMs() == 0 || nowMs - newestMs < config.fewMs())
        && nowMs <= overdueMs(sealed.get(0));
  }

  /** After this time a record of the segment is too old not to be compacted. */
  private long overdueMs(SealedSegment segment) {
    CompactionPolicy policy = member.compaction().policy().get();
    if (!policy.compacts() || policy.lagMaxMs() > NEVER_MS) {
      return Long.MAX_VALUE;
    }
    Oldest known = oldest;
    if (known.baseOffset != segment.baseOffset()) {
      known = new Oldest(segment.baseOffset(), segment.firstTimestamp());
      oldest = known;
    }
    // A record without a time is of no age.
    return known.writtenMs < 0 ? Long.MAX_VALUE : known.writtenMs + policy.lagMaxMs();
  }

  private static long bytes(List<SealedSegment> sealed) {
    return sealed.stream().mapToLong(SealedSegment::logBytes).sum();
  }

  /**
   * Whether there are segments from an offset on that may go up, and they are worth it now: by what
   * the last {@link #look} saw.
   */
  boolean worthIt(long fromOffset, long nowMs) {
    if (waits(nowMs)) {
      return false;
    }
    List<SealedSegment> may =
        member.source().sealedSegments(fromOffset, member.stableOffset().getAsLong(), segmentsMax);
    return !may.isEmpty() && (asked || worthIt(may, nowMs));
  }

  private boolean worthIt(List<SealedSegment> may, long nowMs) {
    SealedSegment first = may.get(0);
    return member.policy().get().keepsLocal()
        || may.size() >= segmentsMax
        || bytes(may) >= config.bytes()
        || nowMs - Math.min(nowMs, lag.sinceMs()) >= config.waitMs()
        || nowMs > overdueMs(first)
        || LocalRelease.wanted(
            first.maxTimestamp(),
            first.logBytes(),
            member.local().sizeBytes(),
            member.policy().get(),
            nowMs);
  }
}
