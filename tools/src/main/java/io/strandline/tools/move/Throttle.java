package io.strandline.tools.move;

import io.strandline.tools.balance.Broker;
import io.strandline.tools.balance.Plan;
import io.strandline.tools.balance.Step;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Limits what moves copy for as long as they last, by replication quotas (KIP-73): the rate on each
 * broker that takes part, and on each topic who sends and who is new. Set and taken away as {@code
 * kafka-reassign-partitions --throttle} does, which also means that what an operator had set by
 * these keys goes.
 *
 * <p>Threads: any. Taken away once, by whoever comes first, and not set after that.
 */
public final class Throttle {
  private static final int TIMEOUT_MS = 15_000;
  private static final String RATE = "%s.replication.throttled.rate";
  private static final String REPLICAS = "%s.replication.throttled.replicas";
  private static final String LEADER = "leader";
  private static final String FOLLOWER = "follower";

  private final Admin admin;
  private final Map<ConfigResource, Collection<AlterConfigOp>> set = new HashMap<>();
  private boolean holds; // guarded by this
  private boolean over; // guarded by this

  /**
   * @param plan whose copies are to be limited; moves that copy nothing do not matter
   * @param bytesPerSecond of each broker, in each direction
   */
  public Throttle(Admin admin, Plan plan, long bytesPerSecond) {
    this.admin = admin;
    Set<Integer> alive =
        plan.shares().stream()
            .map(Plan.Share::broker)
            .filter(Broker::alive)
            .map(Broker::id)
            .collect(Collectors.toSet());
    Map<String, Set<String>> senders = new TreeMap<>();
    Map<String, Set<String>> receivers = new TreeMap<>();
    Set<Integer> brokers = new TreeSet<>();
    for (Step step : plan.steps()) {
      if (!step.added().isEmpty()) {
        name(senders, step, step.from());
        name(receivers, step, step.added());
        Stream.of(step.from(), step.added()).forEach(brokers::addAll);
      }
    }
    brokers.retainAll(alive);
    for (int broker : brokers) {
      String rate = Long.toString(bytesPerSecond);
      put(ConfigResource.Type.BROKER, Integer.toString(broker), RATE, rate, rate);
    }
    senders.forEach(
        (topic, replicas) ->
            put(
                ConfigResource.Type.TOPIC,
                topic,
                REPLICAS,
                String.join(",", replicas),
                String.join(",", receivers.getOrDefault(topic, Set.of()))));
  }

  private static void name(Map<String, Set<String>> into, Step step, List<Integer> brokers) {
    Set<String> replicas = into.computeIfAbsent(step.partition().topic(), topic -> new TreeSet<>());
    brokers.forEach(broker -> replicas.add(step.partition().partition() + ":" + broker));
  }

  private void put(
      ConfigResource.Type type, String name, String key, String leader, String follower) {
    set.put(
        new ConfigResource(type, name),
        List.of(
            op(key.formatted(LEADER), leader, OpType.SET),
            op(key.formatted(FOLLOWER), follower, OpType.SET)));
  }

  private static AlterConfigOp op(String key, String value, OpType type) {
    return new AlterConfigOp(new ConfigEntry(key, value), type);
  }

  /** One that has just died is not waited for as long as a client would. */
  private static AlterConfigsOptions soon() {
    return new AlterConfigsOptions().timeoutMs(TIMEOUT_MS);
  }

  /**
   * Sets it.
   *
   * @throws ExecutionException if it was refused; {@link #lift} takes away what was not
   */
  public synchronized void set() throws ExecutionException, InterruptedException {
    if (over) {
      return;
    }
    holds = true;
    for (var refused : alter(set).entrySet()) {
      if (alive(refused.getKey())) {
        throw refused.getValue();
      }
    }
  }

  /**
   * Takes it away, if it was set and still is.
   *
   * @return what is there still, and why
   */
  public synchronized Map<ConfigResource, ExecutionException> lift() throws InterruptedException {
    over = true;
    if (!holds) {
      return Map.of();
    }
    Map<ConfigResource, Collection<AlterConfigOp>> away = new HashMap<>();
    set.forEach(
        (resource, ops) ->
            away.put(
                resource,
                ops.stream().map(o -> op(o.configEntry().name(), "", OpType.DELETE)).toList()));
    Map<ConfigResource, ExecutionException> stays = alter(away);
    holds = !stays.isEmpty();
    return stays;
  }

  /** Returns what was refused; topics that were deleted since have no limit. */
  private Map<ConfigResource, ExecutionException> alter(
      Map<ConfigResource, Collection<AlterConfigOp>> changes) throws InterruptedException {
    Map<ConfigResource, ExecutionException> refused = new HashMap<>();
    for (var answer : admin.incrementalAlterConfigs(changes, soon()).values().entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          refused.put(answer.getKey(), e);
        }
      }
    }
    return refused;
  }

  /** A broker that died since takes no quota, and sends nothing. */
  private boolean alive(ConfigResource resource) throws ExecutionException, InterruptedException {
    return resource.type() != ConfigResource.Type.BROKER
        || admin.describeCluster().nodes().get().stream()
            .anyMatch(node -> node.idString().equals(resource.name()));
  }
}
