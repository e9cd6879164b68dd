package io.strandline.tools;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Topics through Kafka's admin client. */
@Command(
    name = "topics",
    description = "List, create, describe, alter and delete topics.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class TopicsCommand {
  private TopicsCommand() {}

  @Command(name = "list", description = "List topics.", mixinStandardHelpOptions = true)
  int list(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Option(names = "--internal", description = "Internal topics too.") boolean internal)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      var topics =
          admin.listTopics(new ListTopicsOptions().listInternal(internal)).listings().get();
      topics.stream()
          .sorted((a, b) -> a.name().compareTo(b.name()))
          .forEach(t -> printer.row("topic", t.name(), "id", t.topicId().toString()));
      printer.flush();
      return 0;
    }
  }

  @Command(name = "create", description = "Create a topic.", mixinStandardHelpOptions = true)
  int create(
      @Mixin Connection connection,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String topic,
      @Option(
              names = {"-p", "--partitions"},
              description = "Number of partitions (default: the broker's).")
          @Nullable Integer partitions,
      @Option(
              names = {"-r", "--replication-factor"},
              description = "Number of replicas (default: the broker's).")
          @Nullable Short replicas,
      @Option(
              names = {"-c", "--config"},
              paramLabel = "KEY=VALUE",
              description = "A topic config; repeatable.")
          @Nullable Map<String, String> configs)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      NewTopic wanted =
          new NewTopic(topic, Optional.ofNullable(partitions), Optional.ofNullable(replicas));
      wanted.configs(configs == null ? Map.of() : configs);
      admin.createTopics(List.of(wanted)).all().get();
      return 0;
    }
  }

  @Command(name = "delete", description = "Delete topics.", mixinStandardHelpOptions = true)
  int delete(
      @Mixin Connection connection,
      @Parameters(paramLabel = "TOPIC", arity = "1..*", description = "Their names.")
          List<String> topics)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      admin.deleteTopics(topics).all().get();
      return 0;
    }
  }

  @Command(
      name = "alter",
      description = "Change a topic's configs or add partitions.",
      mixinStandardHelpOptions = true)
  int alter(
      @Mixin Connection connection,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String topic,
      @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Set a config; repeatable.")
          @Nullable Map<String, String> set,
      @Option(
              names = "--unset",
              paramLabel = "KEY",
              description = "Back to the default; repeatable.")
          @Nullable List<String> unset,
      @Option(names = "--partitions", description = "New total number of partitions.")
          @Nullable Integer partitions)
      throws IOException, ExecutionException, InterruptedException {
    List<AlterConfigOp> ops = new ArrayList<>();
    if (set != null) {
      set.forEach(
          (k, v) -> ops.add(new AlterConfigOp(new ConfigEntry(k, v), AlterConfigOp.OpType.SET)));
    }
    if (unset != null) {
      unset.forEach(
          k -> ops.add(new AlterConfigOp(new ConfigEntry(k, ""), AlterConfigOp.OpType.DELETE)));
    }
    try (Admin admin = connection.admin()) {
      if (!ops.isEmpty()) {
        Map<ConfigResource, Collection<AlterConfigOp>> change = Map.of(resource(topic), ops);
        admin.incrementalAlterConfigs(change).all().get();
      }
      if (partitions != null) {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions))).all().get();
      }
      return 0;
    }
  }

  @Command(
      name = "delete-records",
      description = "Move the log start offset of a partition; what lies below is gone.",
      mixinStandardHelpOptions = true)
  int deleteRecords(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Parameters(index = "0", paramLabel = "TOPIC", description = "Its name.") String topic,
      @Parameters(index = "1", paramLabel = "PARTITION", description = "Its number.") int partition,
      @Parameters(
              index = "2",
              paramLabel = "OFFSET",
              description = "First offset to keep; -1: the high watermark.")
          long offset)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      TopicPartition tp = new TopicPartition(topic, partition);
      var deleted = admin.deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(offset)));
      long start = Answer.to(deleted.lowWatermarks(), tp).get().lowWatermark();
      printer.row("topic", topic, "partition", partition, "start", start);
      printer.flush();
      return 0;
    }
  }

  @Command(
      name = "describe",
      description = "Show a topic's partitions, offsets and what its configs deviate in.",
      mixinStandardHelpOptions = true)
  int describe(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Parameters(paramLabel = "TOPIC", description = "Its name.") String topic)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      TopicDescription description =
          Answer.to(admin.describeTopics(List.of(topic)).allTopicNames().get(), topic);
      printer.say(
          "topic "
              + topic
              + ", id "
              + description.topicId()
              + ", configs "
              + deviations(admin, topic));
      var start = offsets(admin, description, OffsetSpec.earliest());
      var end = offsets(admin, description, OffsetSpec.latest());
      for (TopicPartitionInfo p : description.partitions()) {
        TopicPartition tp = new TopicPartition(topic, p.partition());
        printer.row(
            "partition", p.partition(),
            "leader", p.leader() == null ? null : p.leader().id(),
            "replicas", ids(p.replicas()),
            "isr", ids(p.isr()),
            "start", start.get(tp),
            "end", end.get(tp));
      }
      printer.flush();
      return 0;
    }
  }

  private static Map<TopicPartition, Long> offsets(
      Admin admin, TopicDescription topic, OffsetSpec spec)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> asked =
        topic.partitions().stream()
            .filter(p -> p.leader() != null)
            .collect(
                Collectors.toMap(p -> new TopicPartition(topic.name(), p.partition()), p -> spec));
    Map<TopicPartition, Long> offsets = new TreeMap<>((a, b) -> a.partition() - b.partition());
    for (Map.Entry<TopicPartition, ListOffsetsResultInfo> e :
        admin.listOffsets(asked).all().get().entrySet()) {
      offsets.put(e.getKey(), e.getValue().offset());
    }
    return offsets;
  }

  private static String deviations(Admin admin, String topic)
      throws ExecutionException, InterruptedException {
    Config config =
        Answer.to(admin.describeConfigs(List.of(resource(topic))).all().get(), resource(topic));
    return config.entries().stream()
        .filter(e -> e.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
        .map(e -> e.name() + "=" + e.value())
        .collect(Collectors.toCollection(TreeSet::new))
        .toString();
  }

  private static ConfigResource resource(String topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic);
  }

  private static String ids(List<Node> nodes) {
    return nodes.stream().map(n -> String.valueOf(n.id())).collect(Collectors.joining(","));
  }
}
