package io.strandline.bench;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Starts with empty directories, one broker after the other and nothing else at work: from before
 * the format to the first answer. The first start of each does not count: it fills the page cache,
 * and Strandline's makes the archive of class data if there is none.
 */
record StartUps(Options options, Figures figures) {
  static final String NAME = "start-up";

  void run(List<Contender> field, Path dir) throws Exception {
    for (int run = -1; run < options.runs(); run++) {
      for (Contender contender : field) {
        Path home = dir.resolve("start-" + contender.name().replace(' ', '-') + run);
        try (RunningBroker broker = contender.start(home, Map.of())) {
          if (run >= 0) {
            figures.note(NAME + ", s", contender.name(), broker.readySeconds());
            figures.note(NAME + ", CPU s", contender.name(), cpuSeconds(broker));
          }
        }
      }
    }
  }

  /** Of the process that serves, since it was started. */
  private static double cpuSeconds(RunningBroker broker) {
    return ProcessHandle.of(broker.pid())
            .flatMap(process -> process.info().totalCpuDuration())
            .orElseThrow()
            .toMillis()
        / 1e3;
  }
}
