package io.strandline.bench.load;

import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** One producer that sends as fast as it is let, and remembers the first failure. */
final class Sender implements AutoCloseable {
  private final KafkaProducer<byte[], byte[]> producer;
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Callback keepFailure = this::keep;

  Sender(Map<String, Object> config) {
    this.producer = new KafkaProducer<>(config);
  }

  /**
   * Fills a topic until one of the limits is reached, and waits for the acknowledgements.
   *
   * @return bytes of the values
   */
  long fill(String topic, Payload payload, Load.Size size) throws Exception {
    long deadline = System.nanoTime() + (long) (size.seconds() * 1e9);
    long bytes = 0;
    for (long n = 0; bytes < size.bytes() && failure.get() == null; n++) {
      if (n % 64 == 0 && System.nanoTime() > deadline) {
        break;
      }
      byte[] value = payload.value(n);
      send(new ProducerRecord<>(topic, value), keepFailure);
      bytes += value.length;
    }
    flush();
    return bytes;
  }

  void send(ProducerRecord<byte[], byte[]> record, Callback callback) {
    var unused = producer.send(record, callback);
  }

  /**
   * Waits for all acknowledgements.
   *
   * @throws Exception the first failure since the beginning
   */
  void flush() throws Exception {
    producer.flush();
    Exception first = failure.get();
    if (first != null) {
      throw first;
    }
  }

  void keep(@Nullable RecordMetadata metadata, @Nullable Exception thrown) {
    if (thrown != null) {
      failure.compareAndSet(null, thrown);
    }
  }

  /** Requests of all kinds so far. */
  double requests() {
    return ClientRequests.of(producer.metrics());
  }

  @Override
  public void close() {
    producer.close();
  }
}
