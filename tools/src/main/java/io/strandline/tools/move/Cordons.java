package io.strandline.tools.move;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Brokers that nothing new is placed on: {@code cordoned.log.dirs=*} (KIP-1066), which the
 * controller heeds when topics and partitions are created, from metadata version 4.3 on.
 */
public final class Cordons {
  private static final String KEY = "cordoned.log.dirs";

  private final Admin admin;

  public Cordons(Admin admin) {
    this.admin = admin;
  }

  /**
   * @return what of it was refused, by broker
   */
  public Map<Integer, String> set(Collection<Integer> brokers) throws InterruptedException {
    return alter(brokers, new AlterConfigOp(new ConfigEntry(KEY, "*"), AlterConfigOp.OpType.SET));
  }

  /**
   * @return what of it was refused, by broker
   */
  public Map<Integer, String> lift(Collection<Integer> brokers) throws InterruptedException {
    return alter(brokers, new AlterConfigOp(new ConfigEntry(KEY, ""), AlterConfigOp.OpType.DELETE));
  }

  private Map<Integer, String> alter(Collection<Integer> brokers, AlterConfigOp op)
      throws InterruptedException {
    Map<ConfigResource, Collection<AlterConfigOp>> changes = new HashMap<>();
    brokers.forEach(id -> changes.put(resource(id), List.of(op)));
    var answers = admin.incrementalAlterConfigs(changes).values();
    Map<Integer, String> refused = new TreeMap<>();
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
