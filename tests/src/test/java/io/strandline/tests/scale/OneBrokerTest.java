package io.strandline.tests.scale;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Footprint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * One broker that leads very many partitions, each written and with history in the tier, in a small
 * heap: it serves all of them, keeps what it was given, and starts again. Figures are printed.
 *
 * <p>{@code -Dscale.one.partitions=10000 -Dscale.heap=1g -Dscale.rate=50}: each record closes a
 * segment, so that a thousand a second would measure nothing else.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
@EnabledIfSystemProperty(named = "scale.one.partitions", matches = "[1-9][0-9]*")
class OneBrokerTest {
  private static final int A_TOPIC = 1000;
  private static final int TOPICS =
      Math.max(1, Integer.getInteger("scale.one.partitions", 0) / A_TOPIC);
  private static final int RATE = Integer.getInteger("scale.rate", 50);
  private static final int QUIET_SECONDS = Integer.getInteger("scale.quiet.seconds", 30);
  private static final String PREFIX = "many-";

  @TempDir Path dir;
  private final Figures figures = new Figures();

  @Test
  void veryManyPartitionsInASmallHeap() throws Exception {
    Map<String, String> settings =
        Map.of("strandline.tier.upload.min.bytes", "0", "strandline.tier.gather.ms", "0");
    try (ScaledCluster cluster = new ScaledCluster(Product.STRANDLINE, dir, 1, settings);
        Trickle clients = new Trickle(cluster.bootstrap(), PREFIX, TOPICS, A_TOPIC)) {
      ScaledNode broker = cluster.broker(1);
      create(cluster);
      tell("a record to each, ms", clients.toEach());
      footprint(broker, "written once");
      for (int i = 0; i < 2; i++) { // which seals what is there
        tell("again, ms", clients.toEach());
      }
      tell("the first of each in the tier, ms", awaitTiered(broker));
      footprint(broker, "tiered");
      quiet(broker, "tiered");

      clients.longestMs();
      clients.begin(RATE);
      readAll(cluster, 3);
      quiet(broker, "at " + RATE + " records/s");
      clients.end();
      tell("longest wait for an acknowledgement meanwhile, ms", clients.longestMs());
      footprint(broker, "written and read");

      long begin = System.nanoTime();
      broker.stop();
      tell("stopped, ms", since(begin));
      begin = System.nanoTime();
      broker.startAgain();
      cluster.await(cluster.live(), Set.of(1)::equals);
      tell("started, ms", since(begin));
      tell("processor time of the start, s", broker.cpuSeconds());
      tell("a record to each, ms", clients.toEach());
      readAll(cluster, 4);
      footprint(broker, "started again");

      broker.kill();
      begin = System.nanoTime();
      broker.startAgain();
      cluster.await(cluster.live(), Set.of(1)::equals);
      tell("started after kill -9, ms", since(begin));
      tell("a record to each, ms", clients.toEach());
      readAll(cluster, 5);
      footprint(broker, "started after kill -9");
      assertThat(clients.lost()).as("records given up").isZero();
      assertThat(broker.output()).doesNotContain("OutOfMemoryError");
    }
  }

  private static void create(ScaledCluster cluster) throws Exception {
    for (int i = 0; i < TOPICS; i++) {
      NewTopic topic = new NewTopic(PREFIX + i, Optional.of(A_TOPIC), Optional.of((short) 1));
      topic.configs(
          Map.of("segment.ms", "20000", "local.retention.ms", "1", "min.insync.replicas", "1"));
      cluster.admin().createTopics(List.of(topic)).all().get(5, TimeUnit.MINUTES);
    }
  }

  private static long awaitTiered(ScaledNode broker) throws Exception {
    long begin = System.nanoTime();
    while (broker.metric("strandline_tiering_upload_segments_total") < (double) TOPICS * A_TOPIC) {
      assertThat(since(begin)).as("ms waited for the tier").isLessThan(1_800_000);
      Thread.sleep(200);
    }
    return (long) since(begin);
  }

  /** From the beginning, at least so many of each partition, in order and none missing. */
  private void readAll(ScaledCluster cluster, int each) {
    long begin = System.nanoTime();
    List<TopicPartition> all = new ArrayList<>();
    IntStream.range(0, TOPICS * A_TOPIC)
        .forEach(i -> all.add(new TopicPartition(PREFIX + i / A_TOPIC, i % A_TOPIC)));
    Map<TopicPartition, Long> next = new HashMap<>();
    int done = 0;
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", cluster.bootstrap(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(all);
      while (done < all.size()) {
        for (ConsumerRecord<byte[], byte[]> one : consumer.poll(Duration.ofMillis(200))) {
          TopicPartition partition = new TopicPartition(one.topic(), one.partition());
          long expected = next.merge(partition, 1L, Long::sum) - 1;
          assertThat(one.offset()).as("of %s", partition).isEqualTo(expected);
          done += expected + 1 == each ? 1 : 0;
        }
        assertThat(since(begin)).as("ms, %d are read", done).isLessThan(1_800_000);
      }
    }
    tell(each + " of each read, ms", since(begin));
  }

  private void quiet(ScaledNode broker, String when) throws Exception {
    double before = broker.cpuSeconds();
    Thread.sleep(QUIET_SECONDS * 1_000L);
    tell(
        "its share of a processor, " + when + ", %",
        100 * (broker.cpuSeconds() - before) / QUIET_SECONDS);
  }

  private void footprint(ScaledNode broker, String when) throws Exception {
    Footprint now = broker.footprint();
    tell("heap after collection, MiB, " + when, now.heapKb() / 1024.0);
    tell("resident, MiB, " + when, now.residentKb() / 1024.0);
    tell("threads, " + when, now.threads());
    tell("open files, " + when, now.files());
  }

  private void tell(String name, double value) {
    figures.tell(Product.STRANDLINE, name, value);
  }

  private static double since(long beginNanos) {
    return (System.nanoTime() - beginNanos) / 1e6;
  }
}
