package io.strandline.broker;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.config.BrokerChanges;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.node.FlushMeters;
import io.strandline.broker.observe.Meters;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.coordinator.transaction.TransactionLogConfig;
import org.apache.kafka.server.config.DynamicProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All of {@code log.dirs}, locked before anything else looks into them, the quorum included.
 *
 * @param all in the order of the configuration
 * @param broken could not be opened
 * @param producers how long their logs remember producers
 */
record LogDirectories(
    List<LogDirectory> all, Set<Path> broken, ProducerStateManagerConfig producers)
    implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LogDirectories.class);

  /**
   * Locks all directories, making those that are not there. One whose disk fails is left out as
   * long as others work, as in Apache Kafka, but for the one with the metadata and the first.
   *
   * @throws StartException when another process has one, or none can be used
   */
  static LogDirectories open(BrokerConfig config, Threads threads, Meters meters) {
    FlushMeters flushes = new FlushMeters(meters);
    LogSettings settings = Bindings.logSettings(config);
    LogRuntime runtime =
        new LogRuntime(
            new NioDisk(System::nanoTime, flushes::forced),
            InstantSource.system(),
            new SecureRandom(),
            threads.writes,
            threads.timer,
            meters.registry(),
            settings);
    List<LogDirectory> opened = new ArrayList<>();
    Set<Path> broken = new HashSet<>();
    LogDirectories directories = new LogDirectories(opened, broken, settings.producers());
    for (Path path : config.control().logDirectories()) {
      try {
        opened.add(LogDirectory.open(path, runtime));
      } catch (KafkaStorageException e) {
        boolean disk = e.getCause() instanceof IOException;
        if (!disk || required(config.control(), path)) {
          directories.close();
          throw new StartException(String.valueOf(e.getMessage()), e);
        }
        LOG.atError().addKeyValue("path", path).setCause(e).log("log directory is offline");
        broken.add(path);
      }
    }
    return directories;
  }

  /** The metadata and what the tier keeps here cannot be done without. */
  private static boolean required(ControlConfig config, Path path) {
    return path.equals(config.metadataDirectory()) || path.equals(config.logDirectories().get(0));
  }

  /** Takes over what is changed of producers, and what was before. */
  void follow(BrokerChanges changes, BrokerConfig config) {
    changes.add(new DynamicProducerStateManagerConfig(producers));
    producers.setProducerIdExpirationMs(
        config.kafkaInt(TransactionLogConfig.PRODUCER_ID_EXPIRATION_MS_CONFIG));
    producers.setTransactionVerificationEnabled(
        config.kafkaOn(TransactionLogConfig.TRANSACTION_PARTITION_VERIFICATION_ENABLE_CONFIG));
  }

  /** Unlocks what was not closed in order, by its partitions, before. */
  @Override
  public void close() {
    all.forEach(LogDirectory::close);
  }
}
