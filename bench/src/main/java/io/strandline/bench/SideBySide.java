package io.strandline.bench;

import io.strandline.bench.contender.Certificate;
import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.Doors;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.Workload;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives each workload to all contenders in turn.
 *
 * <p>All are up at once, and idle while another works: what an idle one uses is charged to itself,
 * not to the one that is measured. Each workload begins with runs that do not count; runs
 * alternate, and who goes first alternates too, so that a machine whose speed drifts does so for
 * all.
 */
final class SideBySide {
  private final Options options;
  private final Figures figures;
  private final Profiles profiles;
  private final List<Measured> brokers = new ArrayList<>();

  SideBySide(Options options, Figures figures, Profiles profiles) {
    this.options = options;
    this.figures = figures;
    this.profiles = profiles;
  }

  void run(List<Contender> field, List<Workload> workloads, Path dir) throws Exception {
    Optional<Certificate> certificate =
        workloads.stream().anyMatch(Workload::secured)
            ? Optional.of(Certificate.make(dir.resolve("certificate")))
            : Optional.empty();
    try {
      for (Contender contender : field) {
        Path home = dir.resolve(contender.name().replace(' ', '-'));
        brokers.add(new Measured(contender.start(home, Map.of(), Doors.open(certificate))));
      }
      for (Measured broker : brokers) {
        broker.resident("after the start", figures);
      }
      for (Workload workload : workloads) {
        run(workload);
      }
      for (Measured broker : brokers) {
        broker.resident("after all workloads", figures);
      }
    } finally {
      for (Measured broker : brokers) {
        broker.close();
      }
    }
  }

  private void run(Workload workload) throws Exception {
    List<Entry> entries = new ArrayList<>();
    try {
      for (Measured broker : brokers) {
        Entry entry = new Entry(broker, workload.on(broker.broker()));
        entries.add(entry);
      }
      for (int run = 0; run < options.warmUps(); run++) {
        for (Entry entry : entries) {
          entry.load.prepare(options.size());
          entry.load.run();
        }
      }
      for (Entry entry : entries) {
        profiles.begin(entry.broker.broker());
      }
      for (int run = 0; run < options.runs(); run++) {
        for (Entry entry : entries) {
          entry.load.prepare(options.size());
          entry.broker.run(workload.name(), entry.load, figures);
        }
        Collections.reverse(entries);
      }
      for (Entry entry : entries) {
        profiles.end(entry.broker.broker(), workload.name());
      }
    } finally {
      for (Entry entry : entries) {
        entry.load.close();
      }
    }
  }

  private record Entry(Measured broker, Load load) {}
}
