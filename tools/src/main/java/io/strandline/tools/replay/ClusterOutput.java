package io.strandline.tools.replay;

import io.strandline.replay.job.HistoryRecord;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Into a topic of a Kafka cluster: keys, values, headers and timestamps as they were, in the order
 * of each partition, with an idempotent producer. At least once: what was sent after the last
 * checkpoint of a job that died is sent again.
 */
public final class ClusterOutput implements RecordOutput {
  private final KafkaProducer<byte[], byte[]> producer;
  private final String topic;
  private final boolean keepPartitions;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Map<Integer, Mark> taken = new TreeMap<>();

  /**
   * @param properties of the client; acks, serializers and idempotence are set here
   * @param keepPartitions each record into the partition of its own number; else by key
   * @throws IllegalArgumentException if the topic has too few partitions to keep them
   */
  public ClusterOutput(
      Properties properties, String topic, boolean keepPartitions, int partitionsNeeded) {
    this.topic = topic;
    this.keepPartitions = keepPartitions;
    Properties all = new Properties();
    all.put(ProducerConfig.LINGER_MS_CONFIG, 20);
    all.put(ProducerConfig.BATCH_SIZE_CONFIG, 256 << 10);
    all.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "zstd");
    all.putAll(properties);
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    this.producer = new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    int there = producer.partitionsFor(topic).size();
    if (keepPartitions && there < partitionsNeeded) {
      producer.close();
      throw new IllegalArgumentException(
          topic
              + " has "
              + there
              + " partitions, and "
              + partitionsNeeded
              + " are needed to keep"
              + " each record's; say --by-key to let keys decide");
    }
  }

  /**
   * Which place this is, by whatever addresses it is reached.
   *
   * @throws IOException if the cluster does not say which it is
   */
  public static String place(Properties properties, String topic) throws IOException {
    try (Admin admin = Admin.create(properties)) {
      String cluster = admin.describeCluster().clusterId().get();
      return "topic " + topic + " of cluster " + cluster;
    } catch (ExecutionException e) {
      throw new IOException("the other cluster does not say which it is: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  @Override
  public void accept(int partition, List<HistoryRecord> records) throws IOException {
    for (HistoryRecord record : records) {
      throwFailure();
      var unused =
          producer.send(
              new ProducerRecord<>(
                  topic,
                  keepPartitions ? partition : null,
                  record.timestampMs() < 0 ? null : record.timestampMs(),
                  record.key(),
                  record.value(),
                  headers(record)),
              (done, failed) -> {
                if (failed != null) {
                  failure.compareAndSet(null, failed);
                }
              });
    }
    synchronized (taken) {
      taken.put(partition, new Mark(records.get(records.size() - 1).offset() + 1, 0));
    }
  }

  @Override
  public Map<Integer, Mark> flush() throws IOException {
    Map<Integer, Mark> marks;
    synchronized (taken) {
      marks = Map.copyOf(taken);
    }
    producer.flush();
    throwFailure();
    return marks;
  }

  @Override
  public void close() throws IOException {
    producer.close();
    throwFailure();
  }

  private void throwFailure() throws IOException {
    Exception failed = failure.get();
    if (failed != null) {
      throw new IOException("the other cluster refused a record: " + failed.getMessage(), failed);
    }
  }

  private static List<Header> headers(HistoryRecord record) {
    List<Header> headers = new ArrayList<>();
    for (HistoryRecord.Header header : record.headers()) {
      headers.add(new RecordHeader(header.key(), header.value()));
    }
    return headers;
  }
}
