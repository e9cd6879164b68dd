package io.strandline.broker.partition;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayRequest;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.server.storage.log.FetchIsolation;

/** Reads of one log, from wherever the offset lies: the hot log, or history through replay. */
record LogReads(PartitionLog log, Replay replay) {
  PartitionRead read(ReadRequest request, PartitionRead.Marks marks) {
    long offset = request.offset();
    if (offset >= log.localLogStartOffset()) {
      try {
        return new PartitionRead.Hot(marks, readLocal(request, marks.upperBound()));
      } catch (OffsetOutOfRangeException e) {
        if (offset >= log.localLogStartOffset() || offset < log.logStartOffset()) {
          throw e;
        } // else the tier released what we were about to read
      }
    }
    if (offset < log.logStartOffset()) {
      throw new OffsetOutOfRangeException(
          log.partition() + " begins at " + log.logStartOffset() + ", not at " + offset);
    }
    return new PartitionRead.Cold(marks, replay.read(history(request, marks)));
  }

  private LogRead readLocal(ReadRequest request, long upperBound) {
    if (request.offset() > log.logEndOffset()) {
      throw new OffsetOutOfRangeException(
          log.partition() + " ends at " + log.logEndOffset() + ", before " + request.offset());
    }
    return log.read(request.offset(), request.maxBytes(), upperBound, request.atLeastOneBatch());
  }

  private ReplayRequest history(ReadRequest request, PartitionRead.Marks marks) {
    return new ReplayRequest(
        log.partition(),
        request.offset(),
        marks.upperBound(),
        request.maxBytes(),
        request.atLeastOneBatch(),
        request.isolation() == FetchIsolation.TXN_COMMITTED,
        request.reader());
  }
}
