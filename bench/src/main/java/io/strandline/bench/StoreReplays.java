package io.strandline.bench;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.load.History;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.PacedReplay;
import io.strandline.bench.meter.ProcessUse;
import io.strandline.bench.replay.BareClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * Replay out of a store that is not the bench's own: a directory, or the S3 server that {@code
 * --store} names. One consumer on one partition, and one on each of four; beside them a bare client
 * that gets the same objects. Hits in the broker's cache count as replayed: there are few.
 */
record StoreReplays(Options options, Figures figures, Profiles profiles) {
  static final String NAME = "replay from a store";

  private static final String ONE = "1 consumer, 1 partition";
  private static final String MANY = "4 consumers, 4 partitions";
  private static final String ALONE = "receiving alone";
  private static final String BARE = "bare GETs";
  private static final int GET_BYTES = 32 << 20;
  private static final double SPAN_SECONDS = 5;
  private static final long BYTES_MIN = 1_500_000_000;

  void run(Contender contender, Path dir) throws Exception {
    String uri = options.store().orElse("file:" + dir.resolve("store"));
    try (RunningBroker broker = contender.start(dir.resolve("from-store"), config(uri));
        History history = History.write(broker.bootstrap(), size());
        BareClient bare = client(uri, BareClient.Whose.BARE);
        BareClient own = client(uri, BareClient.Whose.OWN);
        PacedReplay many = new PacedReplay(broker.bootstrap(), history.ends());
        PacedReplay one = new PacedReplay(broker.bootstrap(), first(history.ends()))) {
      for (int run = -options.warmUps(); run < options.runs(); run++) {
        if (run == 0) {
          profiles.begin(broker);
        }
        note(run, ONE, "Strandline", span(broker.pid(), () -> replay(one)));
        note(run, MANY, "Strandline", span(broker.pid(), () -> replay(many)));
        Span gets = span(bare.pid(), bare::readAll);
        note(run, ONE, BARE, gets);
        note(run, MANY, BARE, gets);
        note(run, ALONE, "Strandline", span(own.pid(), own::readAll));
        note(run, ALONE, BARE, gets);
      }
      profiles.end(broker, NAME);
    }
  }

  private static BareClient client(String uri, BareClient.Whose whose) throws IOException {
    return BareClient.start(uri, whose, GET_BYTES, History.PARTITIONS);
  }

  private static Map<String, String> config(String uri) {
    return Map.of(
        "strandline.object.store",
        uri,
        "strandline.cache.disk.bytes",
        "0",
        "strandline.replay.get.bytes",
        Integer.toString(GET_BYTES),
        "log.retention.check.interval.ms",
        "500");
  }

  private Load.Size size() {
    return new Load.Size(Math.max(BYTES_MIN, options.size().bytes()), 120);
  }

  private static Map<TopicPartition, Long> first(Map<TopicPartition, Long> ends) {
    TopicPartition partition =
        ends.keySet().stream().filter(p -> p.partition() == 0).findFirst().orElseThrow();
    return Map.of(partition, ends.getOrDefault(partition, 0L));
  }

  private static long replay(PacedReplay replay) throws Exception {
    return (long) (replay.rate(SPAN_SECONDS) * SPAN_SECONDS);
  }

  /** A work that returns bytes. */
  private interface Read {
    long all() throws Exception;
  }

  /** What one reading took. */
  private record Span(long bytes, double seconds, double cpuSeconds) {}

  private static Span span(long pid, Read read) throws Exception {
    double cpu = ProcessUse.of(pid).cpuSeconds();
    long begun = System.nanoTime();
    long bytes = read.all();
    double seconds = (System.nanoTime() - begun) / 1e9;
    return new Span(bytes, seconds, ProcessUse.of(pid).cpuSeconds() - cpu);
  }

  private void note(int run, String what, String who, Span span) throws IOException {
    if (run >= 0) {
      String name = NAME + ", " + what;
      figures.note(name + ", MB/s", who, span.bytes() / span.seconds() / 1e6);
      figures.note(name + ", CPU s/GB", who, span.cpuSeconds() / (span.bytes() / 1e9));
    }
  }
}
