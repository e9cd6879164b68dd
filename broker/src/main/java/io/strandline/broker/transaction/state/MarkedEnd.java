package io.strandline.broker.transaction.state;

import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * All markers of a transaction are written: it is complete. Said again late, it must not complete
 * the next one of the same producer, which before KIP-890 has the same id and epoch, and whose
 * markers are still to be written.
 *
 * @param prepared as it was when its markers were begun
 */
public record MarkedEnd(Transaction prepared, long nowMs) {

  public Verdict decide(@Nullable Transaction now) {
    return prepared.ending() && prepared.equals(now)
        ? new Verdict.Changed(prepared.completed(nowMs))
        : Verdict.refused(Errors.INVALID_TXN_STATE);
  }
}
