package io.strandline.bench;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.load.Workload;
import io.strandline.bench.load.Workloads;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The command {@code bench/run}: the table on standard output, progress on standard error. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    Options options;
    try {
      options = Options.parse(args);
      options.check(names());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(Options.HELP);
      System.exit(2);
      return;
    }
    if (options.list()) {
      names().forEach(System.out::println);
      return;
    }
    Path dir = Files.createTempDirectory("strandline-bench").toAbsolutePath();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> cleanUp(dir), "clean-up"));
    try {
      Figures figures = new Figures(options.results());
      measure(options, figures, dir);
      System.out.print(figures.table("Strandline", "Apache Kafka 4.3.1"));
    } catch (Exception e) {
      e.printStackTrace();
      System.exit(1);
    }
  }

  private static List<String> names() throws IOException {
    List<String> names = new ArrayList<>(List.of(StartUps.NAME));
    Workloads.all().forEach(workload -> names.add(workload.name()));
    names.addAll(List.of(Replays.UNPACED, Replays.PACED, StoreReplays.NAME, Isolations.NAME));
    return names;
  }

  private static void measure(Options options, Figures figures, Path dir) throws Exception {
    List<Contender> field = options.field();
    Profiles profiles = new Profiles(options.profile(), dir);
    if (options.wants(StartUps.NAME)) {
      new StartUps(options, figures).run(field, dir);
    }
    List<Workload> workloads =
        Workloads.all().stream().filter(w -> options.wants(w.name())).toList();
    if (!workloads.isEmpty()) {
      new SideBySide(options, figures, profiles).run(field, workloads, dir);
    }
    Optional<Contender> ours = field.stream().filter(c -> c instanceof Strandline).findFirst();
    if (ours.isPresent() && (options.wants(Replays.UNPACED) || options.wants(Replays.PACED))) {
      new Replays(options, figures, profiles).run(ours.get(), dir);
    }
    if (ours.isPresent() && options.wants(StoreReplays.NAME)) {
      new StoreReplays(options, figures, profiles).run(ours.get(), dir);
    }
    if (ours.isPresent() && options.wants(Isolations.NAME)) {
      new Isolations(options, figures, profiles).run(ours.get(), dir);
    }
  }

  /** At every end, also when the bench is stopped in the middle: no broker and no data stay. */
  private static void cleanUp(Path dir) {
    ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException e) {
      System.err.println("can not remove " + dir + ": " + e);
    }
  }
}
