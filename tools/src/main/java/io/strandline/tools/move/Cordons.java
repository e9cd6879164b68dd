package io.strandline.tools.move;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigsOptions;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Brokers that nothing new is placed on: {@code cordoned.log.dirs=*} (KIP-1066), which the
 * controller heeds when topics and partitions are created, from metadata version 4.3 on.
 */
public final class Cordons {
  private static final int TIMEOUT_MS = 15_000;
  private static final String KEY = "cordoned.log.dirs";

  private final Admin admin;

  public Cordons(Admin admin) {
    this.admin = admin;
  }

  /**
   * @return what of it was refused, by broker; a dead one takes nothing
   */
  public Map<Integer, String> set(Collection<Integer> brokers)
      throws ExecutionException, InterruptedException {
    return alter(brokers, new AlterConfigOp(new ConfigEntry(KEY, "*"), AlterConfigOp.OpType.SET));
  }

  /**
   * @return what of it was refused, by broker; a dead one takes nothing
   */
  public Map<Integer, String> lift(Collection<Integer> brokers)
      throws ExecutionException, InterruptedException {
    return alter(brokers, new AlterConfigOp(new ConfigEntry(KEY, ""), AlterConfigOp.OpType.DELETE));
  }

  private Map<Integer, String> alter(Collection<Integer> brokers, AlterConfigOp op)
      throws ExecutionException, InterruptedException {
    Map<Integer, String> refused = new TreeMap<>();
    if (brokers.isEmpty()) {
      return refused;
    }
    Set<Integer> alive =
        admin.describeCluster().nodes().get().stream().map(Node::id).collect(Collectors.toSet());
    Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
    for (int id : brokers) {
      if (alive.contains(id)) {
        changes.put(resource(id), List.of(op));
      } else {
        refused.put(id, "it is not alive, and nobody else takes that for it");
      }
    }
    var answers =
        admin
            .incrementalAlterConfigs(changes, new AlterConfigsOptions().timeoutMs(TIMEOUT_MS))
            .values();
    for (var answer : answers.entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        refused.put(Integer.parseInt(answer.getKey().name()), String.valueOf(e.getCause()));
      }
    }
    return refused;
  }

  private static ConfigResource resource(int broker) {
    return new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(broker));
  }
}
