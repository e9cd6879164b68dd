package io.strandline.tools;

import io.strandline.tools.doctor.Checkup;
import io.strandline.tools.doctor.Finding;
import io.strandline.tools.doctor.NodeConfig;
import io.strandline.tools.doctor.Verdict;
import io.strandline.tools.tier.HistoryWeights;
import io.strandline.tools.tier.HistoryWeights.Weight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Looks at a node and its cluster, says what is wrong and what to do about it. */
@Command(
    name = "doctor",
    description = {
      "Look at a node on this machine (disk, limits, memory, clock, object store) and at its"
          + " cluster (quorum, partitions, versions), and say what is wrong and what to do about it.",
      "Writes below probe/ in the store and a file of 4 KiB in each log directory, and removes both.",
      "Exit code: 0 if all is well, 1 for a warning, 2 for a failure."
    },
    synopsisSubcommandLabel = "[COMMAND]",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "The node's server.properties; STRANDLINE_… of the environment hold over it, as for the"
              + " node (default: a node without configuration, unless only a cluster is named).")
  private @Nullable Path config;

  @Option(
      names = {"-b", "--bootstrap-server", "--bootstrap"},
      paramLabel = "HOST:PORT",
      description = "Address of any broker: look at the cluster too.")
  private @Nullable String bootstrap;

  @Option(
      names = "--client-config",
      paramLabel = "FILE",
      description = "Properties of the Kafka client: security, time-outs.")
  private @Nullable Path clientConfig;

  @Option(
      names = "--admin",
      split = ",",
      paramLabel = "HOST:PORT",
      description =
          "Admin listeners of nodes, whose health, clock and version are looked at (default: this"
              + " node's own, if it runs).")
  private List<String> admins = List.of();

  @Mixin private Printer printer = new Printer();

  private DoctorCommand() {}

  @Override
  public Integer call() throws IOException {
    Checkup checkup = new Checkup(Path.of("/"));
    List<Finding> findings = new ArrayList<>();
    if (config != null || (bootstrap == null && admins.isEmpty())) {
      NodeConfig node = NodeConfig.load(Optional.ofNullable(config), System.getenv());
      findings.addAll(checkup.node(node, admins));
    } else {
      findings.addAll(checkup.nodes(admins));
    }
    if (bootstrap != null) {
      findings.addAll(checkup.cluster(client(bootstrap)));
    }
    findings.forEach(this::print);
    Verdict worst = Finding.worst(findings);
    printer.total(
        worst
            + ": "
            + count(findings, Verdict.FAIL)
            + " failed, "
            + count(findings, Verdict.WARN)
            + " to be warned of, "
            + count(findings, Verdict.OK)
            + " well",
        "verdict",
        worst,
        "failed",
        count(findings, Verdict.FAIL),
        "warned",
        count(findings, Verdict.WARN),
        "well",
        count(findings, Verdict.OK));
    return worst.exitCode();
  }

  private Properties client(String server) throws IOException {
    return Connection.properties(server, clientConfig);
  }

  private void print(Finding finding) {
    printer.item(
        "check", finding.check(),
        "verdict", finding.verdict(),
        "found", finding.found(),
        "advice", finding.advice());
    printer.say(
        String.format(
            Locale.ROOT, "%-4s  %s: %s", finding.verdict(), finding.check(), finding.found()));
    if (!finding.advice().isEmpty()) {
      printer.say("      -> " + finding.advice());
    }
  }

  private static long count(List<Finding> findings, Verdict verdict) {
    return findings.stream().filter(finding -> finding.verdict() == verdict).count();
  }

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
