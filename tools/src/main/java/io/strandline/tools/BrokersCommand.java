package io.strandline.tools;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.common.Node;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Brokers as the controllers have them, fenced ones too (KIP-1073). */
@Command(
    name = "brokers",
    description = "List brokers, and take those out of the metadata that are gone for good.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class BrokersCommand {
  private BrokersCommand() {}

  @Command(
      name = "list",
      description = "List brokers: alive, or fenced as the controllers do not hear of them.",
      mixinStandardHelpOptions = true)
  int list(@Mixin Connection connection, @Mixin Printer printer)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      registered(admin).stream()
          .sorted(Comparator.comparingInt(Node::id))
          .forEach(
              broker ->
                  printer.row(
                      "broker",
                      broker.id(),
                      "address",
                      broker.host() + ":" + broker.port(),
                      "rack",
                      broker.hasRack() ? broker.rack() : "-",
                      "state",
                      broker.isFenced() ? "fenced" : "alive"));
      printer.flush();
      return 0;
    }
  }

  @Command(
      name = "unregister",
      description = {
        "Take a broker out of the metadata that is gone for good. One that is alive is refused, and"
            + " so is one that has replicas still: those are moved by strandline balance --drain.",
        "A broker that comes back under its id registers anew."
      },
      mixinStandardHelpOptions = true)
  int unregister(
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Parameters(paramLabel = "ID", description = "Its node.id.") int id)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      Node broker =
          registered(admin).stream()
              .filter(one -> one.id() == id)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalStateException(
                          "no broker "
                              + id
                              + " is registered with the listener that was asked: of a replay"
                              + " broker ask at the replay brokers' listener"));
      if (!broker.isFenced()) {
        throw new IllegalStateException(
            "broker " + id + " is alive: stop it first, or it registers again");
      }
      long replicas = replicas(admin, id);
      if (replicas > 0) {
        throw new IllegalStateException(
            String.format(
                "broker %d is to have %d replicas still: strandline balance --drain %d --execute",
                id, replicas, id));
      }
      admin.unregisterBroker(id).all().get();
      printer.say("broker " + id + " is registered no more");
      printer.flush();
      return 0;
    }
  }

  private static List<Node> registered(Admin admin)
      throws ExecutionException, InterruptedException {
    return List.copyOf(
        admin
            .describeCluster(new DescribeClusterOptions().includeFencedBrokers(true))
            .nodes()
            .get());
  }

  private static long replicas(Admin admin, int id)
      throws ExecutionException, InterruptedException {
    List<String> topics =
        List.copyOf(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get());
    return admin.describeTopics(topics).allTopicNames().get().values().stream()
        .flatMap(topic -> topic.partitions().stream())
        .filter(partition -> partition.replicas().stream().anyMatch(one -> one.id() == id))
        .count();
  }
}
