package io.strandline.bench.load;

import io.strandline.bench.contender.RunningBroker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Readers that each read the whole topic, which was just written, from its beginning.
 *
 * @param readers at once, each a thread and a consumer
 * @param secured whether they read over TLS
 */
record Consume(String name, Production production, int readers, boolean secured)
    implements Workload {
  @Override
  public Load on(RunningBroker broker) {
    return new OnBroker(broker);
  }

  private final class OnBroker implements Load {
    private final RunningBroker broker;
    private final Topics topics;
    private final ExecutorService threads = Executors.newFixedThreadPool(readers);
    private final List<Reader> open = new ArrayList<>();
    private final String topic = Topics.name(name);
    private long written;

    OnBroker(RunningBroker broker) {
      this.broker = broker;
      this.topics = new Topics(broker.bootstrap());
    }

    /** Written once: as long as the largest run, so that memory holds it all. */
    @Override
    public void prepare(Size size) throws Exception {
      if (written == 0) {
        topics.create(topic, production.partitions(), Map.of());
        try (Sender sender = new Sender(production.config(broker.bootstrap()))) {
          written = sender.fill(topic, production.payload(), size);
        }
        for (int i = 0; i < readers; i++) {
          open.add(new Reader(broker.client(secured), topic, production.partitions()));
        }
      }
      open.forEach(Reader::rewind);
    }

    @Override
    public Outcome run() throws Exception {
      double before = requests();
      List<Future<Long>> reads = new ArrayList<>();
      for (Reader reader : open) {
        reads.add(threads.submit(reader::readAll));
      }
      long bytes = 0;
      for (Future<Long> read : reads) {
        bytes += read.get();
      }
      return Outcome.of(bytes, requests() - before);
    }

    private double requests() {
      return open.stream().mapToDouble(Reader::requests).sum();
    }

    @Override
    public void close() throws IOException {
      threads.shutdown();
      open.forEach(Reader::close);
      if (written > 0) {
        topics.delete(topic);
      }
      topics.close();
    }
  }
}
