package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;
import java.io.IOException;
import java.util.Map;

/**
 * One producer, as fast as it goes, into a new topic each run.
 *
 * @param secured whether over TLS
 */
record Produce(String name, Production production, boolean secured) implements Workload {
  @Override
  public Load on(RunningBroker broker) {
    return new OnBroker(broker);
  }

  private final class OnBroker implements Load {
    private final Topics topics;
    private final Sender sender;
    private int runs;
    private String topic = "";
    private Size size = new Size(0, 0);

    OnBroker(RunningBroker broker) {
      this.topics = new Topics(broker.bootstrap());
      this.sender = new Sender(production.config(broker.client(secured)));
    }

    @Override
    public void prepare(Size next) throws Exception {
      drop();
      size = next;
      topic = Topics.name(name) + "-" + runs++;
      topics.create(topic, production.partitions(), Map.of());
    }

    @Override
    public Outcome run() throws Exception {
      double before = sender.requests();
      long bytes = sender.fill(topic, production.payload(), size);
      return Outcome.of(bytes, sender.requests() - before);
    }

    private void drop() throws IOException {
      if (!topic.isEmpty()) {
        topics.delete(topic);
      }
    }

    @Override
    public void close() throws IOException {
      sender.close();
      drop();
      topics.close();
    }
  }
}
