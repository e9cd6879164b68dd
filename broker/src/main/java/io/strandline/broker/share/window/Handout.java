package io.strandline.broker.share.window;

import io.strandline.broker.share.window.Runs.Run;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;

/**
 * How much one claim may still get, and what it got.
 *
 * <p>Records that came back often are given in ever smaller numbers, at last alone: one that nobody
 * can digest must not use up the deliveries of its neighbours (KIP-932, <i>Delivery count and
 * throttling</i>).
 */
final class Handout {
  private static final int SUSPICIOUS_FROM = 2;

  private final Claim claim;
  private final List<AcquiredRecords> given = new ArrayList<>();
  private long taken;
  private boolean over;
  private boolean breakHere;

  Handout(Claim claim) {
    this.claim = claim;
  }

  Claim claim() {
    return claim;
  }

  List<AcquiredRecords> given() {
    return given;
  }

  boolean isOver() {
    return over;
  }

  void end() {
    over = true;
  }

  /** A batch of the log ends: one may be enough now. */
  void batchEnds() {
    over |= taken >= claim.recordsMax();
    breakHere = true;
  }

  /** How many records of the run, from its first on, are given; 0 for none. */
  long take(Run run) {
    int count = run.delivery().count();
    boolean suspicious = count >= Math.max(SUSPICIOUS_FROM, (claim.deliveryLimit() + 1) / 2);
    if (suspicious && taken > 0) {
      over = true;
      return 0;
    }
    long size = run.size();
    if (claim.strict()) {
      size = Math.min(size, claim.recordsMax() - taken);
    }
    if (suspicious) {
      size = Math.min(size, few(run));
      over = true;
    }
    note(run.first(), run.first() + size - 1, (short) (count + 1));
    taken += size;
    over |= claim.strict() && taken >= claim.recordsMax();
    return size;
  }

  private long few(Run run) {
    int count = run.delivery().count();
    if (count >= claim.deliveryLimit() - 1) {
      return 1;
    }
    int suspiciousFrom = Math.max(SUSPICIOUS_FROM, (claim.deliveryLimit() + 1) / 2);
    return Math.max(1, run.size() >> (count - suspiciousFrom + 1));
  }

  private void note(long first, long last, short count) {
    AcquiredRecords before = given.isEmpty() ? null : given.get(given.size() - 1);
    boolean joins =
        before != null
            && before.lastOffset() + 1 == first
            && before.deliveryCount() == count
            && !(breakHere && first - before.firstOffset() >= claim.batchRecords());
    if (joins && before != null) {
      before.setLastOffset(last);
    } else {
      given.add(
          new AcquiredRecords().setFirstOffset(first).setLastOffset(last).setDeliveryCount(count));
    }
    breakHere = false;
  }
}
