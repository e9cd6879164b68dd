package io.strandline.tests.scale;

import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;

/** A controller, and brokers with the ids 1 and up, of one product. */
final class ScaledCluster implements AutoCloseable {
  private static final int CONTROLLER = 100;
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private final List<ScaledNode> brokers = new ArrayList<>();
  private final ScaledNode controller;
  private final List<Integer> ports = new ArrayList<>();
  private final Admin admin;

  ScaledCluster(Product product, Path home, int count, Map<String, String> settings)
      throws IOException {
    String clusterId = Uuid.randomUuid().toString();
    int quorumPort = Ports.free();
    Map<String, String> all = new LinkedHashMap<>(settings);
    int replicas = Math.min(3, count);
    for (String topic : List.of("offsets.topic", "transaction.state.log")) {
      all.put(topic + ".replication.factor", Integer.toString(replicas));
      all.put(topic + ".num.partitions", "4");
    }
    all.put("min.insync.replicas", Integer.toString(Math.min(2, count)));
    all.put("auto.leader.rebalance.enable", "false");
    all.put("controller.listener.names", "CONTROLLER");
    all.put("controller.quorum.voters", CONTROLLER + "@127.0.0.1:" + quorumPort);
    Map<String, String> quorum = new LinkedHashMap<>(all);
    quorum.put("process.roles", "controller");
    quorum.put("listeners", "CONTROLLER://127.0.0.1:" + quorumPort);
    controller = new ScaledNode(product, CONTROLLER, home, clusterId, quorum);
    for (int id = 1; id <= count; id++) {
      int port = Ports.free();
      ports.add(port);
      Map<String, String> broker = new LinkedHashMap<>(all);
      broker.put("process.roles", "broker");
      broker.put("listeners", "PLAINTEXT://127.0.0.1:" + port);
      if (product == Product.STRANDLINE) {
        broker.put("strandline.admin.listener", "127.0.0.1:" + Ports.free());
      }
      brokers.add(new ScaledNode(product, id, home, clusterId, broker));
    }
    admin = Admin.create(Map.of("bootstrap.servers", bootstrap()));
    await(live(), ids -> ids.size() == count);
  }

  String bootstrap() {
    return ports.stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
  }

  List<ScaledNode> brokers() {
    return brokers;
  }

  ScaledNode broker(int id) {
    return brokers.get(id - 1);
  }

  ScaledNode controller() {
    return controller;
  }

  Admin admin() {
    return admin;
  }

  /** Something to look at until it is so. */
  interface Look<T> {
    T now() throws Exception;
  }

  /** Which brokers are not fenced. */
  Look<Set<Integer>> live() {
    return () ->
        admin.describeCluster().nodes().get(10, TimeUnit.SECONDS).stream()
            .map(Node::id)
            .collect(Collectors.toSet());
  }

  /** All partitions of topics whose names begin so. */
  Look<List<TopicPartitionInfo>> partitions(String prefix, int topics) {
    List<String> names = IntStream.range(0, topics).mapToObj(i -> prefix + i).toList();
    return () ->
        admin.describeTopics(names).allTopicNames().get(60, TimeUnit.SECONDS).values().stream()
            .map(TopicDescription::partitions)
            .flatMap(List::stream)
            .toList();
  }

  /** Looks every 50 ms until it is so; milliseconds it took. */
  <T> long await(Look<T> look, Predicate<T> so) {
    long begin = System.nanoTime();
    Exception why = null;
    while (System.nanoTime() - begin < LIMIT.toNanos()) {
      try {
        if (so.test(look.now())) {
          return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        }
        Thread.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      } catch (ExecutionException | TimeoutException e) {
        why = e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    throw new AssertionError("waited in vain", why);
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
    brokers.forEach(ScaledNode::close);
    controller.close();
  }
}
