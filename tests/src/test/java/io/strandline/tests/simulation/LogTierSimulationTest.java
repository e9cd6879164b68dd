package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.simulation.CrashingDisk.Model;
import io.strandline.tests.simulation.LogTierSimulation.Outcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Crash models: process (page cache kept) and power (what was not forced is lost or torn). */
class LogTierSimulationTest {
  private static final int SEEDS = 12;

  @TempDir Path directory;

  @Test
  void nothingAcknowledgedIsLostWhenTheProcessDies() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, Model.PROCESS, false));
  }

  @Test
  void nothingAcknowledgedIsLostInAPowerCutWhenEveryAppendIsFlushed() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, Model.POWER, true));
  }

  @Test
  void oneSeedIsOneRun() {
    assertThat(run(3, Model.PROCESS, false)).isEqualTo(run(3, Model.PROCESS, false));
  }

  @Test
  void aPowerCutWithoutFlushesIsNoticed() {
    assertThatThrownBy(
            () ->
                Seeds.run(
                    LogTierSimulationTest.class, SEEDS, seed -> run(seed, Model.POWER, false)))
        .hasStackTraceContaining("AcknowledgedReadable");
  }

  private Outcome run(long seed, Model model, boolean flushed) {
    Path here = directory.resolve(model + "-" + seed);
    try {
      Files.createDirectories(here);
      Outcome outcome = new LogTierSimulation(seed, model, flushed, here).run();
      try (Stream<Path> paths = Files.walk(here)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
      return outcome;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
