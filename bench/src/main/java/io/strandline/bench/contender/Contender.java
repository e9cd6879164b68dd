package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** A broker that can be started with empty data. */
public interface Contender {
  /** What a table calls it. */
  String name();

  /**
   * Formats {@code dir}, starts the broker on loopback and waits until it answers.
   *
   * @param dir where data, configuration and output go; made if it is not there
   * @param more configuration over the defaults
   * @throws IOException with the broker's output if it does not come up
   */
  RunningBroker start(Path dir, Map<String, String> more, Doors doors)
      throws IOException, InterruptedException;

  /** The same, for clear text alone. */
  default RunningBroker start(Path dir, Map<String, String> more)
      throws IOException, InterruptedException {
    return start(dir, more, Doors.open(Optional.empty()));
  }
}
