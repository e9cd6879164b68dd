package io.strandline.tests.fault.exactly;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;

/**
 * Records of no transaction, several under way; each an attempt of its own. Idempotent, unless its
 * name says that it repeats.
 */
final class PlainWriter extends Client {
  private static final int UNDER_WAY = 16;

  /** The groups are to keep up. */
  private static final long PAUSE_NANOS = 100_000_000;

  private final String bootstrap;
  private final List<TopicPartition> partitions;
  private final Ledger ledger;
  private final Random random;

  PlainWriter(
      String name, String bootstrap, List<TopicPartition> partitions, Ledger ledger, long seed) {
    super(name, ledger);
    this.bootstrap = bootstrap;
    this.partitions = partitions;
    this.ledger = ledger;
    this.random = new Random(seed);
  }

  @Override
  void run() throws InterruptedException {
    Semaphore slots = new Semaphore(UNDER_WAY);
    try (KafkaProducer<String, String> producer =
        name().contains(Entry.REPEATS) ? repeatingProducer(bootstrap) : producer(bootstrap, "")) {
      for (long number = 0; !stopped(); number++) {
        slots.acquire();
        TopicPartition to = partitions.get(random.nextInt(partitions.size()));
        Entry entry = new Entry(name(), number, 0, 0, "");
        ledger.begin(entry.attempt(), List.of(to), Set.of());
        var unused =
            producer.send(
                record(to, entry),
                (metadata, thrown) -> {
                  slots.release();
                  ledger.told(
                      entry.attempt(), thrown == null ? Outcome.COMMITTED : Outcome.UNKNOWN);
                });
        if (number % UNDER_WAY == 0) {
          producer.flush();
          LockSupport.parkNanos(PAUSE_NANOS);
        }
      }
    }
  }
}
