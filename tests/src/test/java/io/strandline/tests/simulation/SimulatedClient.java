package io.strandline.tests.simulation;

import io.strandline.broker.log.Appended;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer with acks=all and one batch in flight, sent again until it is
 * acknowledged, to whomever it takes for the leader.
 */
final class SimulatedClient {
  private static final int KEYS = 7;
  static final long PRODUCER = 77;
  private static final long PATIENCE_NANOS = 1_500_000_000L;

  private final SimulatedCluster cluster;
  private final Random random;
  private SimpleRecord @Nullable [] batch;
  private short producerEpoch;
  private int cutsKnown;
  private int sequence;
  private int numbers;

  /** Where the batch was written, until it is known to be committed there. */
  private @Nullable Sent sent;

  private record Sent(SimulatedReplica to, int epoch, long firstOffset, long endOffset, long at) {}

  SimulatedClient(SimulatedCluster cluster) {
    this.cluster = cluster;
    this.random = cluster.random;
  }

  /** Whether nothing is in flight. */
  boolean idle() {
    return batch == null;
  }

  /** Sends, or sends again, or hears that it was committed. */
  void act(@Nullable SimulatedReplica target) {
    Sent there = sent;
    if (there != null) {
      boolean same = there.to.leads() && there.to.epoch() == there.epoch;
      if (there.to.process.alive() && same && there.to.highWatermark() >= there.endOffset) {
        acknowledged(there.firstOffset, cluster.history.bound(there.to.log));
      } else if (!same || cluster.time.nanos() - there.at > PATIENCE_NANOS) {
        sent = null;
      }
    } else if (target != null && target.leads() && cluster.enoughInSync(target)) {
      send(target);
    }
  }

  private void send(SimulatedReplica target) {
    SimpleRecord[] records = batch == null ? next() : batch;
    batch = records;
    try {
      Appended appended =
          target.log.appendAsLeader(
              MemoryRecords.withIdempotentRecords(
                  Compression.NONE, PRODUCER, producerEpoch, sequence, records),
              target.epoch(),
              AppendOrigin.CLIENT,
              cluster.time.millis());
      sent =
          new Sent(
              target,
              target.epoch(),
              appended.firstOffset(),
              appended.lastOffset() + 1,
              cluster.time.nanos());
      cluster.trace.add(
          (appended.duplicate() ? "again " : "appended ")
              + appended.firstOffset()
              + " to "
              + appended.lastOffset()
              + " at "
              + target.id
              + " in epoch "
              + target.epoch());
    } catch (OutOfOrderSequenceException e) {
      // A deposed leader may lack what was acknowledged; the one that leads may not, unless the
      // last copy was lost: then a producer begins anew, as Kafka's does.
      if (target.epoch() == cluster.epoch() && cutsKnown < cluster.history.cuts()) {
        cutsKnown = cluster.history.cuts();
        producerEpoch++;
        sequence = 0;
      } else if (target.epoch() == cluster.epoch()) {
        throw new AssertionError("AcknowledgedReadable: the leader's log lacks some: " + e, e);
      }
    }
    target.settle();
  }

  private SimpleRecord[] next() {
    SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(4)];
    for (int i = 0; i < records.length; i++) {
      String value = "value-" + numbers++ + "-" + "x".repeat(random.nextInt(30));
      // Producers' clocks differ: times do not rise with offsets.
      long timestampMs = cluster.time.millis() - random.nextInt(800);
      cluster.history.tried(value, timestampMs);
      boolean tombstone = random.nextInt(8) == 0;
      records[i] =
          new SimpleRecord(
              timestampMs,
              bytes("k" + random.nextInt(KEYS)),
              tombstone ? null : bytes(value),
              tombstone ? named(value) : Record.EMPTY_HEADERS);
    }
    return records;
  }

  private static Header[] named(String name) {
    return new Header[] {new RecordHeader(History.NAME, bytes(name))};
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * @param bound from where on what the leader has was lost elsewhere, and it does not know yet
   */
  private void acknowledged(long firstOffset, long bound) {
    SimpleRecord[] records = batch;
    if (records != null) {
      List<SimpleRecord> all = List.of(records);
      for (int i = 0; i < all.size(); i++) {
        String value = History.name(all.get(i).value(), all.get(i).headers());
        if (firstOffset + i < bound) {
          cluster.history.acknowledge(value, firstOffset + i);
        }
      }
      sequence += all.size();
      cluster.trace.add("acknowledged " + firstOffset);
    }
    batch = null;
    sent = null;
  }
}
