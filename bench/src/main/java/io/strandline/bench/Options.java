package io.strandline.bench;

import io.strandline.bench.contender.ApacheKafka;
import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.load.Load;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What the command line asks for.
 *
 * @param only words of which a workload's name must hold one; none for all
 * @param size of a measured run
 * @param warmUps runs before, of the same size, that are not measured
 * @param runs that are measured
 * @param heap of each broker, as {@code -Xmx} takes it
 * @param results file to which every measured value is added, and from which the table is made
 * @param store that "replay from a store" uses; none for a directory
 * @param profile directory for profiles; nobody is profiled without
 */
record Options(
    List<String> only,
    Load.Size size,
    int warmUps,
    int runs,
    String heap,
    List<String> contenders,
    Optional<Path> results,
    Optional<String> store,
    Optional<Path> profile,
    boolean list) {
  static final String HELP =
      """
      Usage: bench/run [--quick|--full] [OPTION VALUE]...

      Runs Strandline and Apache Kafka alternately under the same client and prints a table.

        --quick            one short run of each: does it work, roughly how fast
        --full             five runs of 1 GB: figures to publish
        --only A,B         workloads whose name holds one of these words; '-' stands for a space
        --list             names the workloads and ends
        --bytes N          of values in a run; --seconds S ends a slower run
        --runs N           measured runs, after --warm-ups N that are not
        --heap SIZE        of both brokers, as -Xmx takes it (1g)
        --contenders A,B   strandline, kafka
        --results FILE     adds what is measured to FILE, and prints the table of all that is there
        --store URI        of "replay from a store": s3://…, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
                           in the environment; a directory without
        --profile DIR      profiles the brokers while they are measured: stacks and tables in DIR
      """;

  /**
   * @throws IllegalArgumentException that says what is wrong
   */
  static Options parse(String[] args) {
    Deque<String> rest = new ArrayDeque<>(List.of(args));
    Draft draft = new Draft();
    while (!rest.isEmpty()) {
      draft.take(rest.pop(), rest);
    }
    return draft.options();
  }

  boolean wants(String name) {
    String dashed = name.replace(' ', '-');
    return only.isEmpty() || only.stream().anyMatch(dashed::contains);
  }

  /**
   * @throws IllegalArgumentException if a word of {@code --only} is in none of these names
   */
  void check(List<String> names) {
    for (String word : only) {
      if (names.stream().noneMatch(name -> name.replace(' ', '-').contains(word))) {
        throw new IllegalArgumentException("no workload is named " + word + "; --list names them");
      }
    }
  }

  /** The contenders, ready to be started; {@code bench/run} tells where they lie. */
  List<Contender> field() throws IOException {
    List<Contender> field = new ArrayList<>();
    for (String name : contenders) {
      switch (name) {
        case "strandline" ->
            field.add(new Strandline(System.getProperty("bench.launcher", ""), heap));
        case "kafka" -> field.add(kafka());
        default -> throw new IllegalArgumentException("no such contender: " + name);
      }
    }
    return field;
  }

  private Contender kafka() throws IOException {
    Path home = Path.of(System.getProperty("bench.kafka", "bench/kafka")).toAbsolutePath();
    String classPath = Files.readString(home.resolve("target/class-path.txt")).trim();
    return new ApacheKafka(classPath, home.resolve("log4j2.properties"), heap);
  }

  private static final class Draft {
    private List<String> only = List.of();
    private long bytes = 400_000_000;
    private double seconds = 10;
    private int warmUps = 2;
    private int runs = 3;
    private String heap = "1g";
    private List<String> contenders = List.of("strandline", "kafka");
    private Optional<Path> results = Optional.empty();
    private Optional<String> store = Optional.empty();
    private Optional<Path> profile = Optional.empty();
    private boolean list;

    void take(String option, Deque<String> rest) {
      switch (option) {
        case "--quick" -> length(60_000_000, 3, 1);
        case "--full" -> length(1_000_000_000, 20, 5);
        case "--list" -> list = true;
        case "--only" -> only = List.of(value(option, rest).replace(' ', '-').split(","));
        case "--bytes" -> bytes = Long.parseLong(value(option, rest));
        case "--seconds" -> seconds = Double.parseDouble(value(option, rest));
        case "--warm-ups" -> warmUps = Integer.parseInt(value(option, rest));
        case "--runs" -> runs = Integer.parseInt(value(option, rest));
        case "--heap" -> heap = value(option, rest);
        case "--contenders" -> contenders = List.of(value(option, rest).split(","));
        case "--results" -> results = Optional.of(Path.of(value(option, rest)));
        case "--store" -> store = Optional.of(value(option, rest));
        case "--profile" -> profile = Optional.of(Path.of(value(option, rest)));
        default -> throw new IllegalArgumentException("unknown option " + option);
      }
    }

    private void length(long runBytes, double runSeconds, int count) {
      bytes = runBytes;
      seconds = runSeconds;
      runs = count;
    }

    private static String value(String option, Deque<String> rest) {
      if (rest.isEmpty()) {
        throw new IllegalArgumentException(option + " wants a value");
      }
      return rest.pop();
    }

    Options options() {
      Load.Size size = new Load.Size(bytes, seconds);
      return new Options(
          only, size, warmUps, runs, heap, contenders, results, store, profile, list);
    }
  }
}
