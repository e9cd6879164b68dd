package io.strandline.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Runs both brokers alternately on this machine and prints one table.
 *
 * <p>Both are up at once and idle while the other works; each measured run follows a warm-up of the
 * same kind, and runs alternate, so that a machine whose speed drifts does so for both. Figures are
 * medians with their lowest and highest.
 */
public final class SideBySide {
  private static final double GIB = 1L << 30;

  private final long bytes = Long.getLong("bench.bytes", 1L << 30);
  private final int runs = Integer.getInteger("bench.runs", 3);
  private final Map<String, Map<Contender, List<Double>>> figures = new LinkedHashMap<>();

  private SideBySide() {}

  public static void main(String[] args) throws Exception {
    Path dir = args.length > 0 ? Path.of(args[0]) : Files.createTempDirectory("strandline-bench");
    new SideBySide().run(dir.toAbsolutePath());
  }

  private void run(Path dir) throws Exception {
    List<Workload> workloads =
        List.of(
            new Workload("1 KiB plain", 1024, 4, "none"),
            new Workload("100 B plain", 100, 4, "none"));
    try (Contender.Running strandline = Contender.STRANDLINE.start(dir.resolve("strandline"));
        Contender.Running kafka = Contender.KAFKA.start(dir.resolve("kafka"))) {
      List<Contender.Running> both = List.of(strandline, kafka);
      for (Contender.Running broker : both) {
        note("start to first answer, s", broker, broker.readySeconds());
      }
      for (Workload workload : workloads) {
        for (int run = -1; run < runs; run++) {
          for (Contender.Running broker : both) {
            measure(workload, broker, run);
          }
        }
      }
      for (Contender.Running broker : both) {
        note(
            "resident memory at the end, MiB", broker, broker.residentBytes() / (double) (1 << 20));
      }
    } finally {
      delete(dir);
    }
    print();
  }

  /** One produce and one consume; run −1 is the warm-up, a quarter as long, and does not count. */
  private void measure(Workload workload, Contender.Running broker, int run) throws Exception {
    String topic = "bench-" + workload.name().replace(' ', '-') + "-" + (run + 1);
    long size = run < 0 ? bytes / 4 : bytes;
    workload.create(broker, topic);
    double cpu = broker.cpuSeconds();
    long begun = System.nanoTime();
    workload.produce(broker, topic, size);
    double seconds = (System.nanoTime() - begun) / 1e9;
    if (run >= 0) {
      note("produce " + workload.name() + ", MiB/s", broker, size / seconds / (1 << 20));
      note(
          "produce " + workload.name() + ", broker CPU s/GiB",
          broker,
          (broker.cpuSeconds() - cpu) / (size / GIB));
    }
    cpu = broker.cpuSeconds();
    begun = System.nanoTime();
    long read = workload.consume(broker, topic);
    seconds = (System.nanoTime() - begun) / 1e9;
    if (run >= 0) {
      note("consume " + workload.name() + ", MiB/s", broker, read / seconds / (1 << 20));
      note(
          "consume " + workload.name() + ", broker CPU s/GiB",
          broker,
          (broker.cpuSeconds() - cpu) / (read / GIB));
    }
    workload.delete(broker, topic);
  }

  private void note(String figure, Contender.Running broker, double value) {
    figures
        .computeIfAbsent(figure, f -> new EnumMap<>(Contender.class))
        .computeIfAbsent(broker.contender(), c -> new ArrayList<>())
        .add(value);
    System.err.printf(Locale.ROOT, "%-40s %-10s %.3f%n", figure, broker.contender(), value);
  }

  private void print() {
    System.out.println("| figure | Strandline | Apache Kafka 4.3.1 | ratio |");
    System.out.println("|---|---|---|---|");
    figures.forEach(
        (figure, by) -> {
          List<Double> ours = by.getOrDefault(Contender.STRANDLINE, List.of());
          List<Double> theirs = by.getOrDefault(Contender.KAFKA, List.of());
          System.out.printf(
              Locale.ROOT,
              "| %s | %s | %s | %.2f |%n",
              figure,
              spread(ours),
              spread(theirs),
              median(ours) / median(theirs));
        });
  }

  private static String spread(List<Double> values) {
    double low = values.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
    double high = values.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
    return values.size() == 1
        ? String.format(Locale.ROOT, "%.2f", low)
        : String.format(Locale.ROOT, "%.2f (%.2f–%.2f)", median(values), low, high);
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
  }

  private static void delete(Path dir) throws java.io.IOException {
    try (Stream<Path> files = Files.walk(dir)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
