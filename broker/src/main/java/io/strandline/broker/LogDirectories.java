package io.strandline.broker;

import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.observe.Meters;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.KafkaStorageException;

/**
 * All of {@code log.dirs}, locked before anything else looks into them, the quorum included.
 *
 * @param all in the order of the configuration
 */
record LogDirectories(List<LogDirectory> all) implements AutoCloseable {
  /**
   * Locks all directories, making those that are not there.
   *
   * @throws StartException when another process has one, or one can not be used
   */
  static LogDirectories open(BrokerConfig config, Threads threads, Meters meters) {
    FlushMeters flushes = new FlushMeters(meters);
    LogRuntime runtime =
        new LogRuntime(
            new NioDisk(System::nanoTime, flushes::forced),
            InstantSource.system(),
            new SecureRandom(),
            threads.writes,
            threads.timer,
            meters.registry(),
            Bindings.logSettings(config));
    List<LogDirectory> opened = new ArrayList<>();
    LogDirectories directories = new LogDirectories(opened);
    for (Path path : config.control().logDirectories()) {
      try {
        opened.add(LogDirectory.open(path, runtime));
      } catch (KafkaStorageException e) {
        directories.close();
        throw new StartException(String.valueOf(e.getMessage()), e);
      }
    }
    return directories;
  }

  /** Unlocks what was not closed in order, by its partitions, before. */
  @Override
  public void close() {
    all.forEach(LogDirectory::close);
  }
}
