package io.strandline.broker.partition.meter;

import io.strandline.broker.log.Appended;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import io.strandline.broker.observe.kafka.Rate;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Set;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one topic, or of all together: {@code kafka.server:type=BrokerTopicMetrics}.
 * Marking a topic marks all too. A topic's meter is there from its first event on, as in Kafka, and
 * goes with the last replica of the topic here. Thread-safe.
 */
public final class TopicMeters {
  /** What is counted, by partition of a request and not by request, as Kafka does. */
  public enum Kind {
    /** Records appended. */
    MESSAGES_IN("MessagesInPerSec", "messages"),
    /** Bytes of batches appended, as they came. */
    BYTES_IN("BytesInPerSec", "bytes"),
    /** Bytes of batches sent to consumers. */
    BYTES_OUT("BytesOutPerSec", "bytes"),
    /** Bytes of batches larger than is allowed. */
    BYTES_REJECTED("BytesRejectedPerSec", "bytes"),
    /** Appends asked for. */
    TOTAL_PRODUCE("TotalProduceRequestsPerSec", "requests"),
    /** Appends that failed for a reason that is not in the order of things. */
    FAILED_PRODUCE("FailedProduceRequestsPerSec", "requests"),
    /** Reads begun. */
    TOTAL_FETCH("TotalFetchRequestsPerSec", "requests"),
    /** Reads that failed for a reason that is not in the order of things. */
    FAILED_FETCH("FailedFetchRequestsPerSec", "requests"),
    /** Bytes of batches that came from the tier. */
    REMOTE_FETCH_BYTES("RemoteFetchBytesPerSec", "bytes"),
    /** Reads that went to the tier. */
    REMOTE_FETCH("RemoteFetchRequestsPerSec", "requests"),
    /** Reads of the tier that failed or brought nothing in time. */
    REMOTE_FETCH_ERRORS("RemoteFetchErrorsPerSec", "requests"),
    /** Bytes of batches sent to followers; of all topics together only. */
    REPLICATION_OUT("ReplicationBytesOutPerSec", "bytes"),
    /** Bytes of batches fetched from leaders; of all topics together only. */
    REPLICATION_IN("ReplicationBytesInPerSec", "bytes"),
    /** Of them, to replicas that a reassignment adds; of all topics together only. */
    REASSIGNMENT_OUT("ReassignmentBytesOutPerSec", "bytes"),
    /** The same, fetched; of all topics together only. */
    REASSIGNMENT_IN("ReassignmentBytesInPerSec", "bytes");

    private static final Set<Kind> OF_ALL =
        EnumSet.of(REPLICATION_OUT, REPLICATION_IN, REASSIGNMENT_OUT, REASSIGNMENT_IN);

    private final String meter;
    private final String eventType;

    Kind(String meter, String eventType) {
      this.meter = meter;
      this.eventType = eventType;
    }

    private boolean byTopic() {
      return !OF_ALL.contains(this);
    }
  }

  private final KafkaMeters kafka;
  private final String topic;
  private final @Nullable TopicMeters all;
  private volatile EnumMap<Kind, Rate> rates = new EnumMap<>(Kind.class); // replaced, not changed
  private volatile boolean gone;

  private TopicMeters(KafkaMeters kafka, String topic, @Nullable TopicMeters all) {
    this.kafka = kafka;
    this.topic = topic;
    this.all = all;
  }

  /** Of all topics; its meters are there at once. */
  static TopicMeters ofAll(KafkaMeters kafka) {
    TopicMeters all = new TopicMeters(kafka, "", null);
    for (Kind kind : Kind.values()) {
      all.make(kind);
    }
    return all;
  }

  TopicMeters of(String name) {
    return new TopicMeters(kafka, name, this);
  }

  /** One event. */
  public void mark(Kind kind) {
    mark(kind, 1);
  }

  /** So many events, or bytes. */
  public void mark(Kind kind, long events) {
    if (all != null) {
      all.mark(kind, events);
      if (!kind.byTopic()) {
        return;
      }
    }
    Rate rate = rates.get(kind);
    if (rate == null) {
      rate = make(kind);
    }
    if (rate != null) {
      rate.mark(events);
    }
  }

  /** Counted so far. */
  public long count(Kind kind) {
    Rate rate = rates.get(kind);
    return rate == null ? 0 : rate.count();
  }

  private synchronized @Nullable Rate make(Kind kind) {
    Rate rate = rates.get(kind);
    if (rate == null && !gone) {
      rate = kafka.rate(name(kind), kind.eventType);
      EnumMap<Kind, Rate> more = new EnumMap<>(rates);
      more.put(kind, rate);
      rates = more;
    }
    return rate;
  }

  private KafkaName name(Kind kind) {
    KafkaName name = KafkaName.of("kafka.server", "BrokerTopicMetrics", kind.meter);
    return all == null ? name : name.with("topic", topic);
  }

  /** The topic has no replica here any more; what is still marked counts for all alone. */
  synchronized void remove() {
    gone = true;
    rates.keySet().forEach(kind -> kafka.remove(name(kind)));
    rates = new EnumMap<>(Kind.class);
  }

  // ---- appends

  /** These records were appended. */
  public void appended(MemoryRecords records, Appended appended) {
    mark(Kind.BYTES_IN, records.sizeInBytes());
    mark(Kind.MESSAGES_IN, appended.recordCount());
  }

  /** These records were not; some reasons are everyday, and are not a failure of the broker. */
  public void notAppended(MemoryRecords records, Throwable reason) {
    if (reason instanceof RecordTooLargeException
        || reason instanceof RecordBatchTooLargeException) {
      mark(Kind.BYTES_REJECTED, records.sizeInBytes());
    } else if (!(reason instanceof NotLeaderOrFollowerException
        || reason instanceof CorruptRecordException
        || reason instanceof KafkaStorageException)) {
      mark(Kind.FAILED_PRODUCE);
    }
  }
}
