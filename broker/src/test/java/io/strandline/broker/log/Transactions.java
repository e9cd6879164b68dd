package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** Transactional writes as a client and a coordinator make them. */
final class Transactions {
  private Transactions() {}

  /** One record in a transaction of its own, ended at once. */
  static void write(Logs logs, PartitionLog log, long producer, int sequence, boolean commit) {
    begin(logs, log, producer, sequence);
    end(logs, log, producer, commit);
  }

  static Appended begin(Logs logs, PartitionLog log, long producer, int sequence) {
    VerificationGuard guard = log.beginVerification(producer, sequence, (short) 0, false);
    MemoryRecords records =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            producer,
            (short) 0,
            sequence,
            new SimpleRecord(logs.nowMs, Logs.bytes("k"), Logs.bytes("t" + producer)));
    int epoch = log.latestEpoch().orElse(0);
    return log.appendAsLeader(
        records, new AppendTerms(epoch, AppendOrigin.CLIENT, guard, (short) -1), logs.nowMs);
  }

  static Appended end(Logs logs, PartitionLog log, long producer, boolean commit) {
    MemoryRecords marker =
        MemoryRecords.withEndTransactionMarker(
            logs.nowMs,
            producer,
            (short) 0,
            new EndTransactionMarker(
                commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT, 0));
    int epoch = log.latestEpoch().orElse(0);
    return log.appendAsLeader(
        marker,
        new AppendTerms(epoch, AppendOrigin.COORDINATOR, VerificationGuard.SENTINEL, (short) 0),
        logs.nowMs);
  }
}
