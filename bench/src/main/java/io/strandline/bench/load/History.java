package io.strandline.bench.load;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * A topic whose past lies in the tier and nowhere else, and a reader of that past. Plain values of
 * 1 KiB in four partitions.
 */
public final class History implements AutoCloseable {
  /** As many as the topic has, and as a reader reads at once. */
  public static final int PARTITIONS = 4;

  private static final String TOPIC = "history";
  private static final int KIB = 1024;

  private final Topics topics;
  private final Reader reader;
  private Map<TopicPartition, Long> ends = Map.of();

  private History(String bootstrap) {
    this.topics = new Topics(bootstrap);
    this.reader = new Reader(bootstrap, TOPIC, PARTITIONS);
  }

  /** Produces, and waits until the broker has let go of every closed segment. */
  public static History write(String bootstrap, Load.Size size) throws Exception {
    History history = new History(bootstrap);
    Production production = new Production(Payload.noise(KIB), PARTITIONS, 64 * KIB, 5, "none");
    history.topics.create(
        TOPIC,
        PARTITIONS,
        Map.of("segment.bytes", Long.toString(segmentBytes(size)), "local.retention.bytes", "1"));
    try (Sender sender = new Sender(production.config(bootstrap))) {
      sender.fill(TOPIC, production.payload(), size);
    }
    history.ends = history.topics.awaitRelease(TOPIC, PARTITIONS);
    return history;
  }

  /** Several segments a partition, as long as a broker in use would have them if there is data. */
  private static long segmentBytes(Load.Size size) {
    return Math.max(1 << 20, Math.min(128 << 20, size.bytes() / PARTITIONS / 4));
  }

  /** Goes to the beginning. */
  public void rewind() {
    reader.rewind(ends);
  }

  /**
   * Reads all that lies in the tier.
   *
   * @return bytes of the values
   */
  public long readAll() {
    return reader.readAll();
  }

  /** Where the tier ends and the broker's own disk begins. */
  public Map<TopicPartition, Long> ends() {
    return new HashMap<>(ends);
  }

  @Override
  public void close() throws IOException {
    reader.close();
    topics.close();
  }
}
