package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * A producer at a fixed rate and a consumer at the end of the same topic: how long each record
 * waited for its acknowledgement, and how long for its reader. Both count from when it was due.
 */
public final class HotClients implements AutoCloseable {
  private static final String TOPIC = "hot";
  private static final int PARTITIONS = 4;
  private static final int VALUE_BYTES = 1024;
  private static final Duration POLL = Duration.ofMillis(50);
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final Topics topics;
  private final Sender sender;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final ExecutorService thread = Executors.newSingleThreadExecutor();
  private final int recordsPerSecond;

  /** What both saw. */
  public record Seen(Latencies produced, Latencies consumed) {}

  public HotClients(RunningBroker broker, int recordsPerSecond) throws Exception {
    this.recordsPerSecond = recordsPerSecond;
    this.topics = new Topics(broker.bootstrap());
    Production production =
        new Production(Payload.noise(VALUE_BYTES), PARTITIONS, 16 << 10, 0, "none");
    topics.create(TOPIC, PARTITIONS, Map.of());
    this.sender = new Sender(production.config(broker.bootstrap()));
    this.consumer = new KafkaConsumer<>(Reader.config(broker.bootstrap()));
    List<TopicPartition> all = Topics.partitions(TOPIC, PARTITIONS);
    consumer.assign(all);
    consumer.seekToEnd(all);
    all.forEach(consumer::position);
  }

  /** Sends for some seconds and awaits all records on the other side. */
  public Seen measure(double seconds) throws Exception {
    int records = (int) (recordsPerSecond * seconds);
    long[] due = new long[records];
    long[] produced = new long[records];
    long gap = 1_000_000_000L / recordsPerSecond;
    long begun = System.nanoTime() + 50_000_000;
    Arrays.setAll(due, n -> begun + n * gap);
    Future<long[]> consumed = thread.submit(reader(due));
    for (int n = 0; n < records; n++) {
      int index = n;
      await(due[n]);
      byte[] value = ByteBuffer.allocate(VALUE_BYTES).putInt(n).array();
      sender.send(
          new ProducerRecord<>(TOPIC, value),
          (metadata, thrown) -> {
            produced[index] = System.nanoTime() - due[index];
            sender.keep(metadata, thrown);
          });
    }
    sender.flush();
    return new Seen(new Latencies(produced), new Latencies(consumed.get()));
  }

  private Callable<long[]> reader(long[] due) {
    return () -> {
      long[] consumed = new long[due.length];
      int seen = 0;
      long giveUp = due[due.length - 1] + PATIENCE_NANOS;
      while (seen < due.length) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          int n = ByteBuffer.wrap(record.value()).getInt();
          consumed[n] = System.nanoTime() - due[n];
          seen++;
        }
        if (System.nanoTime() > giveUp) {
          throw new IllegalStateException("read " + seen + " of " + due.length + " records");
        }
      }
      return consumed;
    };
  }

  private static void await(long due) {
    for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  @Override
  public void close() throws IOException {
    thread.shutdown();
    sender.close();
    consumer.close();
    topics.close();
  }
}
