package io.strandline.tools;

import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Consumer groups through Kafka's admin client. */
@Command(
    name = "groups",
    description = "List, describe, reset and delete consumer groups.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class GroupsCommand {
  private static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  private GroupsCommand() {}

  @Command(name = "list", description = "List groups.", mixinStandardHelpOptions = true)
  int list(@Mixin Connection connection, @Mixin Printer printer)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      admin.listGroups().all().get().stream()
          .sorted(Comparator.comparing(g -> g.groupId()))
          .forEach(
              g ->
                  printer.row(
                      "group", g.groupId(),
                      "type", g.type().map(Object::toString).orElse("-"),
                      "state", g.groupState().map(Object::toString).orElse("-")));
      printer.flush();
      return 0;
    }
  }

  @Command(
      name = "describe",
      description = "Show a group's offsets, lag and members.",
      mixinStandardHelpOptions = true)
  int describe(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Parameters(paramLabel = "GROUP", description = "Its id.") String group)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      ConsumerGroupDescription described =
          Answer.to(admin.describeConsumerGroups(List.of(group)).all().get(), group);
      printer.say(
          "group "
              + group
              + ", "
              + described.groupState()
              + ", "
              + described.members().size()
              + " members");
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
      Map<TopicPartition, Long> ends = ends(admin, committed.keySet().stream().toList());
      Map<TopicPartition, String> owners = owners(described);
      committed.keySet().stream()
          .sorted(ORDER)
          .forEach(
              tp -> {
                long offset = Answer.to(committed, tp).offset();
                long end = Answer.to(ends, tp);
                printer.row(
                    "topic",
                    tp.topic(),
                    "partition",
                    tp.partition(),
                    "offset",
                    offset,
                    "end",
                    end,
                    "lag",
                    end - offset,
                    "member",
                    owners.get(tp));
              });
      printer.flush();
      return 0;
    }
  }

  @Command(name = "delete", description = "Delete empty groups.", mixinStandardHelpOptions = true)
  int delete(
      @Mixin Connection connection,
      @Parameters(paramLabel = "GROUP", arity = "1..*", description = "Their ids.")
          List<String> groups)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      admin.deleteConsumerGroups(groups).all().get();
      return 0;
    }
  }

  @Command(
      name = "reset",
      description = "Set the committed offsets of an empty group for a topic.",
      mixinStandardHelpOptions = true)
  int reset(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Parameters(index = "0", paramLabel = "GROUP", description = "Its id.") String group,
      @Parameters(index = "1", paramLabel = "TOPIC", description = "The topic.") String topic,
      @Option(
              names = "--to",
              required = true,
              description = "earliest, latest, a number, or @TIME as 2026-01-31T12:00:00Z.")
          String to)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      List<TopicPartition> partitions =
          Answer.to(admin.describeTopics(List.of(topic)).allTopicNames().get(), topic)
              .partitions()
              .stream()
              .map(p -> new TopicPartition(topic, p.partition()))
              .toList();
      Map<TopicPartition, OffsetAndMetadata> wanted = targets(admin, partitions, to);
      admin.alterConsumerGroupOffsets(group, wanted).all().get();
      partitions.forEach(
          tp ->
              printer.row(
                  "topic",
                  topic,
                  "partition",
                  tp.partition(),
                  "offset",
                  Answer.to(wanted, tp).offset()));
      printer.flush();
      return 0;
    }
  }

  private static Map<TopicPartition, OffsetAndMetadata> targets(
      Admin admin, List<TopicPartition> partitions, String to)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetAndMetadata> targets = new HashMap<>();
    if (!to.isEmpty() && to.chars().allMatch(Character::isDigit)) {
      partitions.forEach(tp -> targets.put(tp, new OffsetAndMetadata(Long.parseLong(to))));
      return targets;
    }
    Map<TopicPartition, Long> ends = ends(admin, partitions);
    offsets(admin, partitions, spec(to))
        .forEach(
            (tp, o) -> targets.put(tp, new OffsetAndMetadata(o < 0 ? Answer.to(ends, tp) : o)));
    return targets;
  }

  private static OffsetSpec spec(String to) {
    return switch (to) {
      case "earliest" -> OffsetSpec.earliest();
      case "latest" -> OffsetSpec.latest();
      default -> {
        if (!to.startsWith("@")) {
          throw new IllegalArgumentException("not a place in a log: " + to);
        }
        yield OffsetSpec.forTimestamp(java.time.Instant.parse(to.substring(1)).toEpochMilli());
      }
    };
  }

  private static Map<TopicPartition, Long> ends(Admin admin, List<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    return offsets(admin, partitions, OffsetSpec.latest());
  }

  private static Map<TopicPartition, Long> offsets(
      Admin admin, List<TopicPartition> partitions, OffsetSpec spec)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> asked =
        partitions.stream().collect(Collectors.toMap(tp -> tp, tp -> spec));
    return admin.listOffsets(asked).all().get().entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
  }

  private static Map<TopicPartition, String> owners(ConsumerGroupDescription group) {
    Map<TopicPartition, String> owners = new HashMap<>();
    for (MemberDescription member : group.members()) {
      member.assignment().topicPartitions().forEach(tp -> owners.put(tp, member.consumerId()));
    }
    return owners;
  }
}
