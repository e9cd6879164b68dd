package io.strandline.tools.doctor;

import io.strandline.tiering.mount.ForeignTopic;
import io.strandline.tools.restore.Origin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ClusterAuthorizationException;

/** Partitions without a leader or with too few replicas in sync. */
final class PartitionsCheck implements Check {
  private static final int TOPICS_AT_ONCE = 500;
  private static final int NAMED_MAX = 5;

  private final Admin admin;
  private final List<String> offline = new ArrayList<>();
  private final List<String> underMin = new ArrayList<>();
  private final List<String> underReplicated = new ArrayList<>();
  private int partitions;

  PartitionsCheck(Admin admin) {
    this.admin = admin;
  }

  @Override
  public List<Finding> run() throws Exception {
    List<String> topics =
        admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().stream()
            .sorted()
            .toList();
    for (int from = 0; from < topics.size(); from += TOPICS_AT_ONCE) {
      look(topics.subList(from, Math.min(topics.size(), from + TOPICS_AT_ONCE)));
    }
    String all = Quantity.some(partitions, "partition");
    List<Finding> findings = new ArrayList<>();
    findings.add(
        offline.isEmpty()
            ? Finding.ok("partitions offline", "none of " + all)
            : Finding.fail(
                "partitions offline",
                named(offline) + " of " + all + " without a leader",
                "Start the brokers that have their replicas; docs/runbooks/partition-offline.md."));
    findings.add(
        underMin.isEmpty()
            ? Finding.ok("partitions under min ISR", "none of " + all)
            : Finding.fail(
                "partitions under min ISR",
                named(underMin) + " of " + all + ": acks=all is refused",
                "Start the brokers that lack; docs/runbooks/partition-under-min-isr.md."));
    findings.add(
        underReplicated.isEmpty()
            ? Finding.ok("partitions under-replicated", "none of " + all)
            : Finding.warn(
                "partitions under-replicated",
                named(underReplicated) + " of " + all,
                "One replica less until they are back; docs/runbooks/partition-under-replicated.md."));
    return findings;
  }

  /** What a tool that was killed between two steps of a restore or mount leaves. */
  static List<Finding> origins(Admin admin) throws Exception {
    String check = "topics origin";
    List<String> unheld;
    try {
      unheld = Origin.unheld(admin);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof ClusterAuthorizationException)) {
        throw e;
      }
      return List.of(
          Finding.warn(
              check,
              "the cluster's configuration may not be looked at",
              "It takes DESCRIBE_CONFIGS on the cluster."));
    }
    return List.of(
        unheld.isEmpty()
            ? Finding.ok(check, "no history of another cluster's waits for a topic")
            : Finding.warn(
                check,
                "whatever is created as "
                    + named(unheld)
                    + " begins with another cluster's history",
                "Unless a restore or mount is under way: where there is no such topic, take "
                    + ForeignTopic.KEY_PREFIX
                    + "<topic> away from the cluster's configuration; where there is, add its id"
                    + " (docs/mounts.md)."));
  }

  private void look(List<String> topics) throws Exception {
    Map<String, TopicDescription> described = admin.describeTopics(topics).allTopicNames().get();
    Map<String, Integer> min = minIsr(topics);
    described.forEach(
        (topic, description) ->
            description
                .partitions()
                .forEach(partition -> look(topic, partition, min.getOrDefault(topic, 1))));
  }

  private void look(String topic, TopicPartitionInfo partition, int minIsr) {
    partitions++;
    String name = topic + "-" + partition.partition();
    if (partition.leader() == null || partition.leader().isEmpty()) {
      offline.add(name);
    } else if (partition.isr().size() < Math.min(minIsr, partition.replicas().size())) {
      underMin.add(name);
    }
    if (partition.isr().size() < partition.replicas().size()) {
      underReplicated.add(name);
    }
  }

  private Map<String, Integer> minIsr(List<String> topics) throws Exception {
    Map<ConfigResource, Config> configs =
        admin
            .describeConfigs(
                topics.stream()
                    .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic))
                    .toList())
            .all()
            .get();
    Map<String, Integer> min = new HashMap<>();
    configs.forEach(
        (topic, config) -> {
          ConfigEntry entry = config.get("min.insync.replicas");
          if (entry != null) {
            min.put(topic.name(), Integer.parseInt(entry.value()));
          }
        });
    return min;
  }

  private static String named(List<String> partitions) {
    return partitions.size() <= NAMED_MAX
        ? String.join(", ", partitions)
        : partitions.size() + " (" + String.join(", ", partitions.subList(0, NAMED_MAX)) + ", …)";
  }
}
