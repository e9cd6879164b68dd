package io.strandline.tests.scale;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Footprint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three brokers that each hold a replica of every one of many partitions: what that takes while
 * nothing happens and while a little is written, and how long everybody waits when a broker comes
 * or goes. Figures of Strandline and of Apache Kafka by the same clients, one after the other.
 *
 * <p>{@code -Dscale.partitions=3000}, {@code -Dscale.products=STRANDLINE,KAFKA}, {@code
 * -Dscale.heap=512m}, {@code -Dscale.quiet.seconds=30}, {@code -Dscale.dir=…} to keep the data.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
@EnabledIfSystemProperty(named = "scale.partitions", matches = "[1-9][0-9]*")
class ThreeBrokersTest {
  private static final int A_TOPIC = 100;
  private static final int TOPICS =
      Math.max(1, Integer.getInteger("scale.partitions", 0) / A_TOPIC);
  private static final int RATE = Integer.getInteger("scale.rate", 1000);
  private static final int QUIET_SECONDS = Integer.getInteger("scale.quiet.seconds", 30);
  private static final String PREFIX = "wide-";
  private static final Set<Integer> ALL = Set.of(1, 2, 3);

  @TempDir Path temporary;
  private final Figures figures = new Figures();

  @Test
  void whatManyPartitionsOnThreeBrokersTake() throws Exception {
    Path dir = Path.of(System.getProperty("scale.dir", temporary.toString()));
    for (String name : System.getProperty("scale.products", "STRANDLINE,KAFKA").split(",")) {
      Product product = Product.valueOf(name);
      try (ScaledCluster cluster =
              new ScaledCluster(product, dir.resolve(name.toLowerCase()), 3, Map.of());
          Trickle clients = new Trickle(cluster.bootstrap(), PREFIX, TOPICS, A_TOPIC)) {
        new Run(product, cluster, clients).everything();
        assertThat(clients.lost()).as("records given up").isZero();
        for (ScaledNode node : cluster.brokers()) {
          assertThat(node.output()).doesNotContain("OutOfMemoryError");
        }
      }
    }
    System.out.println(figures.table());
  }

  private final class Run {
    private final Product product;
    private final ScaledCluster cluster;
    private final Trickle clients;

    Run(Product product, ScaledCluster cluster, Trickle clients) {
      this.product = product;
      this.cluster = cluster;
      this.clients = clients;
    }

    void everything() throws Exception {
      create();
      quiet("after creation");
      tell("a record to each, ms", clients.toEach());
      tell("again, ms", clients.toEach());
      quiet("once written");
      footprints();
      trickle();
      killed();
      stopped();
      footprints("at the end");
    }

    private void create() throws Exception {
      List<NewTopic> topics =
          IntStream.range(0, TOPICS)
              .mapToObj(i -> new NewTopic(PREFIX + i, Optional.of(A_TOPIC), Optional.of((short) 3)))
              .toList();
      double before = cpu();
      long begin = System.nanoTime();
      cluster.admin().createTopics(topics).all().get(5, TimeUnit.MINUTES);
      tell("created, ms", since(begin));
      clients.toEach();
      tell("created and all take acks=all, ms", since(begin));
      tell("processor time of all nodes until then, s", cpu() - before);
      awaitInSync();
    }

    private void quiet(String when) throws Exception {
      Thread.sleep(5_000);
      tell("a broker's share of a processor, quiet, " + when + ", %", percent());
    }

    private double percent() throws Exception {
      double before = brokersCpu();
      Thread.sleep(QUIET_SECONDS * 1_000L);
      return 100 * (brokersCpu() - before) / QUIET_SECONDS / 3;
    }

    private void footprints() throws Exception {
      footprints("once written");
    }

    private void footprints(String when) throws Exception {
      List<Footprint> all = new ArrayList<>();
      for (ScaledNode node : cluster.brokers()) {
        all.add(node.footprint());
      }
      tell("resident, MiB, " + when, most(all, one -> one.residentKb() / 1024.0));
      tell("heap after collection, MiB, " + when, most(all, one -> one.heapKb() / 1024.0));
      tell("threads, " + when, most(all, Footprint::threads));
      tell("open files, " + when, most(all, Footprint::files));
    }

    private double most(List<Footprint> all, ToDoubleFunction<Footprint> figure) {
      return all.stream().mapToDouble(figure).max().orElseThrow();
    }

    private void trickle() throws Exception {
      clients.longestMs();
      clients.begin(RATE);
      Thread.sleep(10_000);
      clients.longestMs();
      long before = clients.acknowledged();
      tell("a broker's share of a processor at " + RATE + " records/s, %", percent());
      tell("records/s then", (clients.acknowledged() - before) / (double) QUIET_SECONDS);
      tell("longest wait for acks=all then, ms", clients.longestMs());
      clients.end();
    }

    private void killed() throws Exception {
      long begin = System.nanoTime();
      cluster.broker(1).kill();
      clients.longestMs();
      clients.toEach();
      tell("kill -9 to acks=all of each, ms", since(begin));
      cluster.await(partitions(), all(one -> one.leader() != null && one.leader().id() != 1));
      begin = System.nanoTime();
      cluster.broker(1).startAgain();
      cluster.await(cluster.live(), ALL::equals);
      tell("start after kill -9 to serving, ms", since(begin));
      awaitInSync();
      tell("start after kill -9 to in all ISRs, ms", since(begin));
      elect("after kill -9");
    }

    private void elect(String when) throws Exception {
      clients.longestMs();
      clients.begin(RATE);
      Thread.sleep(3_000);
      tell("longest wait for acks=all before election " + when + ", ms", clients.longestMs());
      long begin = System.nanoTime();
      cluster.admin().electLeaders(ElectionType.PREFERRED, all()).partitions().get();
      tell("preferred election of all " + when + ", ms", since(begin));
      Thread.sleep(3_000);
      tell("longest wait for acks=all while elected " + when + ", ms", clients.longestMs());
      clients.end();
    }

    private Set<TopicPartition> all() {
      return IntStream.range(0, TOPICS * A_TOPIC)
          .mapToObj(i -> new TopicPartition(PREFIX + i / A_TOPIC, i % A_TOPIC))
          .collect(Collectors.toSet());
    }

    private void stopped() throws Exception {
      clients.begin(RATE);
      Thread.sleep(3_000);
      clients.longestMs();
      long begin = System.nanoTime();
      cluster.broker(1).stop();
      tell("controlled shutdown, ms", since(begin));
      Thread.sleep(3_000);
      tell("longest wait for acks=all meanwhile, ms", clients.longestMs());
      begin = System.nanoTime();
      double before = 0;
      cluster.broker(1).startAgain();
      cluster.await(cluster.live(), ALL::equals);
      tell("start after controlled shutdown to serving, ms", since(begin));
      awaitInSync();
      tell("start after controlled shutdown to in all ISRs, ms", since(begin));
      tell("its processor time until then, s", cluster.broker(1).cpuSeconds() - before);
      tell("longest wait for acks=all while it came back, ms", clients.longestMs());
      clients.end();
      elect("after controlled shutdown");
    }

    private void tell(String name, double value) {
      figures.tell(product, name, value);
    }

    private ScaledCluster.Look<List<TopicPartitionInfo>> partitions() {
      return cluster.partitions(PREFIX, TOPICS);
    }

    private Predicate<List<TopicPartitionInfo>> all(Predicate<TopicPartitionInfo> so) {
      return partitions -> partitions.stream().allMatch(so);
    }

    private void awaitInSync() {
      cluster.await(
          partitions(),
          all(one -> one.isr().stream().map(Node::id).collect(Collectors.toSet()).equals(ALL)));
    }

    private double brokersCpu() throws IOException {
      double sum = 0;
      for (ScaledNode node : cluster.brokers()) {
        sum += node.cpuSeconds();
      }
      return sum;
    }

    private double cpu() throws IOException {
      return brokersCpu() + cluster.controller().cpuSeconds();
    }
  }

  private static double since(long beginNanos) {
    return (System.nanoTime() - beginNanos) / 1e6;
  }
}
