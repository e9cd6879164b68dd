package io.strandline.tests.scale;

import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.fault.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.LongSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long clients wait while a leader moves as an operator wants it to: figures, no assertions, of
 * Strandline and of Apache Kafka by the same clients, one after the other.
 *
 * <p>One partition on three brokers is written with acks=all and read, a record every 2 ms; other
 * partitions are led by all brokers and stand still, so that fetches of followers wait at each.
 *
 * <p>{@code -Dmove.rounds=7}, {@code -Dscale.products=STRANDLINE,KAFKA}.
 */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
@EnabledIfSystemProperty(named = "move.rounds", matches = "[1-9][0-9]*")
class ControlledMoveTest {
  private static final TopicPartition PARTITION = new TopicPartition("moving", 0);

  @TempDir Path dir;

  @Test
  void whatClientsWaitForWhileALeaderMoves() throws Exception {
    for (String name : System.getProperty("scale.products", "STRANDLINE,KAFKA").split(",")) {
      Product product = Product.valueOf(name);
      try (ScaledCluster cluster =
          new ScaledCluster(product, dir.resolve(name.toLowerCase()), 3, Map.of())) {
        new Run(product, cluster).everything();
      }
    }
  }

  private interface Step {
    void run() throws Exception;
  }

  private static final class Run {
    private final Product product;
    private final ScaledCluster cluster;
    private final Admin admin;
    private final AtomicLong acked = new AtomicLong();
    private final AtomicLong ackNanosMax = new AtomicLong();
    private final AtomicLong readNanosMax = new AtomicLong();
    private volatile boolean ended;

    Run(Product product, ScaledCluster cluster) {
      this.product = product;
      this.cluster = cluster;
      this.admin = cluster.admin();
    }

    void everything() throws Exception {
      create("still", Map.of(0, List.of(1, 2, 3), 1, List.of(2, 3, 1), 2, List.of(3, 1, 2)));
      create(PARTITION.topic(), Map.of(0, List.of(1, 2, 3)));
      Thread writer = new Thread(this::write, "writer");
      Thread reader = new Thread(this::read, "reader");
      writer.start();
      reader.start();
      try {
        awaitMore(5_000);
        rounds();
      } finally {
        ended = true;
        writer.join();
        reader.join();
      }
    }

    private void create(String topic, Map<Integer, List<Integer>> replicas) throws Exception {
      admin.createTopics(List.of(new NewTopic(topic, replicas))).all().get(60, TimeUnit.SECONDS);
      ClusterTopics.awaitLeader(admin, new TopicPartition(topic, 0), Set.of(1, 2, 3));
    }

    private void rounds() throws Exception {
      int rounds = Integer.getInteger("move.rounds");
      List<long[]> quiet = new ArrayList<>();
      List<long[]> elections = new ArrayList<>();
      List<long[]> moves = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        int leader = ClusterTopics.leader(admin, PARTITION);
        int next = leader % 3 + 1;
        int other = next % 3 + 1;
        quiet.add(longest(() -> awaitMore(200)));
        elections.add(longest(() -> elect(List.of(next, other, leader))));
        moves.add(
            longest(
                () -> {
                  ClusterTopics.reassign(admin, PARTITION, List.of(other, leader));
                  ClusterTopics.awaitMoved(admin, PARTITION, Set.of(other, leader));
                }));
        ClusterTopics.reassign(admin, PARTITION, List.of(other, leader, next));
        ClusterTopics.awaitInSync(admin, PARTITION, Set.of(1, 2, 3));
      }
      tell("nothing", quiet);
      tell("preferred election", elections);
      tell("reassignment that takes the leader away", moves);
      restarts(rounds);
    }

    /** As an upgrade of a cluster has it: each leader stops, comes back and leads again. */
    private void restarts(int rounds) throws Exception {
      List<long[]> stops = new ArrayList<>();
      List<long[]> returns = new ArrayList<>();
      for (int i = 0; i < rounds; i++) {
        int leader = i % 3 + 1;
        List<Integer> replicas = List.of(leader, leader % 3 + 1, (leader + 1) % 3 + 1);
        elect(replicas);
        awaitMore(300);
        stops.add(longest(() -> cluster.broker(leader).stop()));
        cluster.broker(leader).startAgain();
        ClusterTopics.awaitInSync(admin, PARTITION, Set.of(1, 2, 3));
        awaitMore(500);
        returns.add(longest(() -> elect(replicas)));
      }
      tell("controlled shutdown of the leader", stops);
      tell("preferred election of a broker that was just started", returns);
    }

    private void elect(List<Integer> replicas) throws Exception {
      ClusterTopics.reassign(admin, PARTITION, replicas);
      if (ClusterTopics.leader(admin, PARTITION) != replicas.get(0)) {
        admin
            .electLeaders(ElectionType.PREFERRED, Set.of(PARTITION))
            .all()
            .get(30, TimeUnit.SECONDS);
      }
      ClusterTopics.awaitLeader(admin, PARTITION, Set.of(replicas.get(0)));
    }

    private void tell(String what, List<long[]> longest) {
      System.out.printf(
          "MOVE %s, %s: acks=all waited at most %s ms, a reader %s ms (median and worst of %d)%n",
          product, what, millis(longest, 0), millis(longest, 1), longest.size());
    }

    private static String millis(List<long[]> longest, int which) {
      List<Long> sorted = new ArrayList<>(longest.stream().map(one -> one[which]).toList());
      Collections.sort(sorted);
      return String.format(
          "%d and %d",
          sorted.get(sorted.size() / 2) / 1_000_000, sorted.get(sorted.size() - 1) / 1_000_000);
    }

    private long[] longest(Step step) throws Exception {
      ackNanosMax.set(0);
      readNanosMax.set(0);
      step.run();
      awaitMore(300);
      return new long[] {ackNanosMax.get(), readNanosMax.get()};
    }

    private void awaitMore(int count) {
      long target = acked.get() + count;
      Waiting.until(count + " more", () -> acked.get() >= target);
    }

    private void write() {
      try (KafkaProducer<Long, Long> producer =
          new KafkaProducer<>(
              Map.of("bootstrap.servers", cluster.bootstrap(), "acks", "all"),
              new LongSerializer(),
              new LongSerializer())) {
        while (!ended) {
          long sent = System.nanoTime();
          producer.send(
              new ProducerRecord<>(PARTITION.topic(), 0, null, sent),
              (metadata, failure) -> {
                if (failure == null) {
                  acked.incrementAndGet();
                  ackNanosMax.accumulateAndGet(System.nanoTime() - sent, Math::max);
                }
              });
          LockSupport.parkNanos(2_000_000L);
        }
      }
    }

    private void read() {
      try (KafkaConsumer<Long, Long> consumer =
          new KafkaConsumer<>(
              Map.of("bootstrap.servers", cluster.bootstrap(), "auto.offset.reset", "latest"),
              new LongDeserializer(),
              new LongDeserializer())) {
        consumer.assign(List.of(PARTITION));
        while (!ended) {
          for (ConsumerRecord<Long, Long> r : consumer.poll(Duration.ofMillis(100))) {
            readNanosMax.accumulateAndGet(System.nanoTime() - r.value(), Math::max);
          }
        }
      }
    }
  }
}
