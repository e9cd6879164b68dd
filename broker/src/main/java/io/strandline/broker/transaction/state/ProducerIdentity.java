package io.strandline.broker.transaction.state;

import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * By which id and epoch a transactional id writes, and by which it wrote.
 *
 * @param lastEpoch the epoch before a bump that its producer asked for, so that the same request
 *     sent again is recognised; -1 after a bump by others. Known to the leader that bumped alone
 * @param previousId the id at the last change of state
 * @param nextId the id to take when the transaction has ended, since the epochs of this one are
 *     used up; -1 for none
 */
public record ProducerIdentity(
    long id, short epoch, short lastEpoch, long previousId, long nextId) {

  /** One that no producer has been told of yet. */
  static ProducerIdentity fresh(long id) {
    return new ProducerIdentity(
        id,
        RecordBatch.NO_PRODUCER_EPOCH,
        RecordBatch.NO_PRODUCER_EPOCH,
        RecordBatch.NO_PRODUCER_ID,
        RecordBatch.NO_PRODUCER_ID);
  }

  /** Whether its producer may have no higher epoch: the last of all is kept for fencing it. */
  public boolean exhausted() {
    return exhausted(epoch);
  }

  static boolean exhausted(short epoch) {
    return epoch >= Short.MAX_VALUE - 1;
  }

  /** The same producer at a change of state that leaves id and epoch. */
  ProducerIdentity kept() {
    return new ProducerIdentity(id, epoch, lastEpoch, id, nextId);
  }

  ProducerIdentity at(short newEpoch, short newLastEpoch) {
    return new ProducerIdentity(id, newEpoch, newLastEpoch, id, nextId);
  }

  /** Another id, whose epochs begin anew. */
  ProducerIdentity rotated(long newId, short newLastEpoch) {
    return new ProducerIdentity(newId, (short) 0, newLastEpoch, id, RecordBatch.NO_PRODUCER_ID);
  }

  ProducerIdentity next(long newNextId) {
    return new ProducerIdentity(id, epoch, lastEpoch, previousId, newNextId);
  }

  /** One epoch up; the highest stays, so that what is broken can at least be aborted. */
  short bumped() {
    return epoch == Short.MAX_VALUE ? epoch : (short) (epoch + 1);
  }
}
