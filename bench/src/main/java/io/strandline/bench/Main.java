package io.strandline.bench;

import io.strandline.bench.load.Workload;
import io.strandline.bench.load.Workloads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The command {@code bench/run}: the table on standard output, progress on standard error. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws Exception {
    Options options;
    try {
      options = Options.parse(args);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(Options.HELP);
      System.exit(2);
      return;
    }
    List<Workload> workloads =
        Workloads.all().stream().filter(w -> options.wants(w.name())).toList();
    if (options.list()) {
      workloads.forEach(w -> System.out.println(w.name()));
      return;
    }
    Path dir = Files.createTempDirectory("strandline-bench").toAbsolutePath();
    try {
      Figures figures = new Figures(options.results());
      new SideBySide(options, figures).run(options.field(), workloads, dir);
      System.out.print(figures.table("Strandline", "Apache Kafka 4.3.1"));
    } finally {
      delete(dir);
    }
  }

  private static void delete(Path dir) throws IOException {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
