package io.strandline.broker;

import io.strandline.broker.control.config.BrokerChanges;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.node.FlushMeters;
import io.strandline.broker.observe.Meters;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.coordinator.transaction.TransactionLogConfig;
import org.apache.kafka.server.config.DynamicProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;

/**
 * All of {@code log.dirs}, locked before anything else looks into them, the quorum included.
 *
 * @param all in the order of the configuration
 * @param producers how long their logs remember producers
 */
record LogDirectories(List<LogDirectory> all, ProducerStateManagerConfig producers)
    implements AutoCloseable {
  /**
   * Locks all directories, making those that are not there.
   *
   * @throws StartException when another process has one, or one can not be used
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
    LogDirectories directories = new LogDirectories(opened, settings.producers());
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
