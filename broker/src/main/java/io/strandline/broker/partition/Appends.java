package io.strandline.broker.partition;

import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.broker.partition.owner.Wakes;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** Appends of a leader, from any thread, carried out by the partition's owner. */
final class Appends {
  private final Partition partition;
  private final Mailbox mailbox;
  private final Leadership leadership;
  private final PartitionRuntime runtime;
  private Wakes wakes = Wakes.AT_ONCE; // of what was appended since the last rest; the owner's

  Appends(Partition partition, Mailbox mailbox, Leadership leadership, PartitionRuntime runtime) {
    this.partition = partition;
    this.mailbox = mailbox;
    this.leadership = leadership;
    this.runtime = runtime;
  }

  PendingAppend append(MemoryRecords records, short acks, AppendTerms terms, Wakes wakes) {
    wakes.begun();
    meters().mark(TopicMeters.Kind.TOTAL_PRODUCE);
    CompletableFuture<Appended> written = new CompletableFuture<>();
    boolean all = acks == -1;
    PendingAppend pending = new PendingAppend(written, all ? new CompletableFuture<>() : written);
    mailbox.submit(
        new Mailbox.Task() {
          @Override
          public boolean inline() {
            return appendsInline(records);
          }

          @Override
          public void run() {
            joined(wakes);
            append(records, terms, all, pending);
          }
        });
    return pending;
  }

  /** Requests of which parts are carried out in one go: the first one's wake-ups serve for all. */
  private void joined(Wakes next) {
    if (wakes == Wakes.AT_ONCE) {
      wakes = next;
    } else if (next != Wakes.AT_ONCE) {
      mailbox.after(next::done);
    }
  }

  /** By what to wake those who wait for the appends since the last call; to be done then. */
  Wakes settled() {
    Wakes of = wakes;
    wakes = Wakes.AT_ONCE;
    return of;
  }

  private TopicMeters meters() {
    return partition.meters();
  }

  private PartitionLog log() {
    return partition.log();
  }

  private boolean appendsInline(MemoryRecords records) {
    return records.sizeInBytes() <= runtime.settings().inlineBytes()
        && log().appendsInline(records, partition.leaderEpoch(), runtime.clock().millis());
  }

  private void append(
      MemoryRecords records, AppendTerms terms, boolean all, PendingAppend pending) {
    try {
      Role.Leading leading = writable(all);
      if (terms.origin() == AppendOrigin.CLIENT) {
        runtime.space().admit(log());
      }
      Appended appended = write(records, terms.in(leading.leaderEpoch()));
      if (all) {
        leadership.await(appended, pending.acknowledged());
      }
      mailbox.after(() -> pending.written().complete(appended));
    } catch (RuntimeException | Error failure) {
      meters().notAppended(records, failure);
      mailbox.after(() -> pending.fail(failure));
    }
  }

  Appended appendNow(MemoryRecords records, AppendTerms terms) {
    return mailbox.call(() -> write(records, terms.in(writable(true).leaderEpoch())));
  }

  CompletableFuture<VerificationGuard> verify(
      long producerId, short epoch, int sequence, boolean adds) {
    return mailbox.ask(
        () -> {
          var unused = writable(false);
          return log().beginVerification(producerId, sequence, epoch, adds);
        },
        true);
  }

  private Role.Leading writable(boolean all) {
    Role.Leading leading = partition.leadingOrThrow().writable();
    if (all) {
      leading.requireInSync(log().config().minInSyncReplicas);
    }
    return leading;
  }

  private Appended write(MemoryRecords records, AppendTerms terms) {
    Appended appended = log().appendAsLeader(records, terms, runtime.clock().millis());
    meters().appended(records, appended);
    return appended;
  }
}
