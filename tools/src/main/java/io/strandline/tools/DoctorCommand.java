package io.strandline.tools;

import io.strandline.tools.tier.HistoryWeights;
import io.strandline.tools.tier.HistoryWeights.Weight;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at a cluster before something is done to it, and says what it finds. */
@Command(
    name = "doctor",
    description = "Look before something is done, and say what would come of it.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true)
final class DoctorCommand {
  private DoctorCommand() {}

  @Command(
      name = "handback",
      description = {
        "Say how many bytes one of Apache Kafka's brokers is sent, and needs room for, when it"
            + " becomes a replica of these topics: all of their history.",
        "With --to, whether it fits on the disks of these brokers; exit code 1 if it does not."
      },
      mixinStandardHelpOptions = true)
  int handback(
      @Mixin Connection connection,
      @Mixin TierStore where,
      @Mixin Printer printer,
      @Option(
              names = "--to",
              split = ",",
              paramLabel = "ID",
              description = "Brokers that shall each get a replica of every partition.")
          @Nullable List<Integer> to,
      @Parameters(paramLabel = "TOPIC", arity = "0..*", description = "Topics (default: all).")
          @Nullable List<String> topics)
      throws Exception {
    try (Admin admin = connection.admin();
        TierStore.Opened tier = where.open()) {
      Map<String, Weight> weights =
          new HistoryWeights(admin, tier.manifests()).of(topics == null ? List.of() : topics);
      weights.forEach(
          (topic, weight) ->
              printer.row(
                  "topic",
                  topic,
                  "fromTier",
                  weight.tierBytes(),
                  "fromDisk",
                  weight.localBytes(),
                  "bytes",
                  weight.bytes()));
      long sum = weights.values().stream().mapToLong(Weight::bytes).sum();
      printer.total(
          sum + " bytes for each broker that takes a replica of every partition", "bytes", sum);
      boolean fits = true;
      for (int broker : new TreeSet<>(to == null ? List.of() : to)) {
        long room = room(admin, broker);
        fits &= sum <= room;
        printer.row(
            "broker", broker, "usable", room, "verdict", sum <= room ? "fits" : "too small");
      }
      printer.flush();
      return fits ? 0 : 1;
    }
  }

  private static long room(Admin admin, int broker) throws Exception {
    return Answer.to(admin.describeLogDirs(List.of(broker)).allDescriptions().get(), broker)
        .values()
        .stream()
        .mapToLong((LogDirDescription directory) -> directory.usableBytes().orElse(0))
        .sum();
  }
}
