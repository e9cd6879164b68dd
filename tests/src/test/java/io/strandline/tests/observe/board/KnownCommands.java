package io.strandline.tests.observe.board;

import io.strandline.tools.Main;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine;

/**
 * Whether a command of a document is one that there is: ours are parsed by our own command line, of
 * Kafka's the options and subcommands are looked for in the classes that read them, of the system's
 * only the name is known.
 */
final class KnownCommands {
  private static final Map<String, List<String>> KAFKA =
      Map.of(
          "kafka-topics.sh", tools("TopicCommand", "TopicCommand$TopicCommandOptions"),
          "kafka-cluster.sh", tools("ClusterTool"),
          "kafka-features.sh", tools("FeatureCommand"),
          "kafka-leader-election.sh",
              tools("LeaderElectionCommand", "LeaderElectionCommand$LeaderElectionCommandOptions"),
          "kafka-log-dirs.sh", tools("LogDirsCommand", "LogDirsCommand$LogDirsCommandOptions"),
          "kafka-metadata-quorum.sh", tools("MetadataQuorumCommand"),
          "kafka-transactions.sh",
              tools(
                  "TransactionsCommand",
                  "TransactionsCommand$AbortTransactionCommand",
                  "TransactionsCommand$FindHangingTransactionsCommand"),
          "kafka-configs.sh", List.of("kafka/admin/ConfigCommand$ConfigCommandOptions"));

  private static final Set<String> SYSTEM =
      Set.of(
          "chronyc",
          "curl",
          "df",
          "dmesg",
          "du",
          "journalctl",
          "openssl",
          "prlimit",
          "systemctl",
          "timedatectl");

  private static final CommandLine OURS =
      new CommandLine(Main.class).setCaseInsensitiveEnumValuesAllowed(true);

  private static final Map<String, String> PLACES = new LinkedHashMap<>();

  static {
    PLACES.put("HOST:PORT", "127.0.0.1:9092");
    PLACES.put("HOST", "127.0.0.1");
    PLACES.put("ID", "1");
    PLACES.put("N", "0");
    PLACES.put("BYTES", "1000000");
    PLACES.put("OFFSET", "0");
    PLACES.put("FILE", "/etc/strandline/server.properties");
    PLACES.put("DIRECTORY", "/tmp/out");
    PLACES.put("TOPIC", "orders");
    PLACES.put("URI", "file:/objects");
  }

  private KnownCommands() {}

  private static List<String> tools(String... classes) {
    return Arrays.stream(classes).map(name -> "org/apache/kafka/tools/" + name).toList();
  }

  /** What is wrong with the command, if anything. */
  static Optional<String> complaint(String line) throws IOException {
    String filled = line.strip();
    for (Map.Entry<String, String> place : PLACES.entrySet()) {
      filled =
          Pattern.compile("(?<![\\w.-])" + place.getKey() + "(?![\\w.])")
              .matcher(filled)
              .replaceAll(place.getValue());
    }
    List<String> words = new ArrayList<>(List.of(filled.split("\\s+")));
    String program = words.remove(0);
    if (program.equals("bin/strandline")) {
      if (!String.join(" ", words).startsWith("tier restore cluster")) {
        return ours(words);
      }
      // The launcher hands this one to the broker's own main.
      List<String> handed = new ArrayList<>(List.of("restore-cluster"));
      handed.addAll(words.subList(3, words.size()));
      return kafkas(List.of("io/strandline/broker/Restoring"), handed);
    }
    List<String> classes = KAFKA.get(program);
    if (classes != null) {
      return kafkas(classes, words);
    }
    if (program.equals("curl") && !filled.matches(".*:9644/(metrics|healthz|readyz)$")) {
      return Optional.of("the admin listener has no such path");
    }
    return SYSTEM.contains(program) ? Optional.empty() : Optional.of("no program " + program);
  }

  private static Optional<String> ours(List<String> words) {
    try {
      OURS.parseArgs(words.toArray(String[]::new));
      return Optional.empty();
    } catch (CommandLine.ParameterException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private static Optional<String> kafkas(List<String> classes, List<String> words)
      throws IOException {
    StringBuilder constants = new StringBuilder();
    for (String name : classes) {
      try (InputStream in =
          KnownCommands.class.getClassLoader().getResourceAsStream(name + ".class")) {
        if (in == null) {
          return Optional.of("no class " + name);
        }
        constants.append(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
      }
    }
    boolean first = true;
    for (String word : words) {
      String known = word.startsWith("--") ? word.substring(2) : word;
      boolean option = word.startsWith("--");
      boolean subcommand = first && !option;
      first = first && option;
      // The length of a constant stands before it: so no option is found within another's name.
      String constant = "\1\0" + (char) known.length() + known;
      String dashed = "\1\0" + (char) (known.length() + 2) + "--" + known;
      if ((option || subcommand)
          && constants.indexOf(constant) < 0
          && constants.indexOf(dashed) < 0
          && !known.startsWith("bootstrap-")
          && !known.matches("[0-9.:]+")) {
        return Optional.of("no option " + word);
      }
    }
    return Optional.empty();
  }
}
