package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * One producer at a fixed rate, and how long each record waited for its acknowledgement.
 *
 * <p>A record's waiting begins when it is due, not when a late sender gets to it.
 */
record FixedRate(String name, Production production, int recordsPerSecond) implements Workload {
  @Override
  public Load on(RunningBroker broker) {
    return new OnBroker(broker);
  }

  private final class OnBroker implements Load {
    private final Topics topics;
    private final Sender sender;
    private String topic = "";
    private Size size = new Size(0, 0);

    OnBroker(RunningBroker broker) {
      this.topics = new Topics(broker.bootstrap());
      this.sender = new Sender(production.config(broker.bootstrap()));
    }

    @Override
    public void prepare(Size next) throws Exception {
      size = next;
      if (topic.isEmpty()) {
        topic = Topics.name(name);
        topics.create(topic, production.partitions(), Map.of());
      }
    }

    @Override
    public Outcome run() throws Exception {
      double requests = sender.requests();
      long[] nanos = new long[(int) (recordsPerSecond * size.seconds())];
      long gap = 1_000_000_000L / recordsPerSecond;
      long begun = System.nanoTime();
      long bytes = 0;
      for (int n = 0; n < nanos.length; n++) {
        long due = begun + n * gap;
        await(due);
        byte[] value = production.payload().value(n);
        int index = n;
        sender.send(
            new ProducerRecord<>(topic, value),
            (metadata, thrown) -> {
              nanos[index] = System.nanoTime() - due;
              sender.keep(metadata, thrown);
            });
        bytes += value.length;
      }
      sender.flush();
      double sent = sender.requests() - requests;
      return new Outcome(bytes, sent, Optional.of(new Latencies(nanos)));
    }

    private static void await(long due) {
      for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
    }

    @Override
    public void close() throws IOException {
      sender.close();
      if (!topic.isEmpty()) {
        topics.delete(topic);
      }
      topics.close();
    }
  }
}
