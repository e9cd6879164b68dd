package io.strandline.broker.control.config;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import kafka.server.DynamicBrokerConfig;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.network.SocketServerConfigs;
import org.apache.kafka.server.DynamicThreadPool;
import org.apache.kafka.server.config.ServerLogConfigs;
import org.apache.kafka.server.log.remote.storage.RemoteLogManagerConfig;
import org.apache.kafka.storage.internals.log.CleanerConfig;

/**
 * What this broker demands of changed values of its configuration before the controller writes them
 * down, where types and ranges do not say it. The bounds are Kafka's, so that scripts meet the same
 * refusals.
 *
 * <p>Of what is written down nothing is demanded any more: the bounds are those of a step from what
 * held then, and a broker that starts, that was behind or has another file takes several at once.
 */
final class ChangeChecks {
  /** Whether this thread asks if a change may be written down. */
  private static final ThreadLocal<Boolean> ASKED = ThreadLocal.withInitial(() -> false);

  private static final String LISTENERS = SocketServerConfigs.LISTENERS_CONFIG;
  private static final String PROTOCOLS = SocketServerConfigs.LISTENER_SECURITY_PROTOCOL_MAP_CONFIG;
  private static final String CLEANER_THREADS = CleanerConfig.LOG_CLEANER_THREADS_PROP;
  private static final String NETWORK_THREADS = SocketServerConfigs.NUM_NETWORK_THREADS_CONFIG;
  private static final List<String> RATES_AND_SIZES =
      List.of(
          RemoteLogManagerConfig.REMOTE_LOG_INDEX_FILE_CACHE_TOTAL_SIZE_BYTES_PROP,
          RemoteLogManagerConfig.REMOTE_LOG_MANAGER_COPY_MAX_BYTES_PER_SECOND_PROP,
          RemoteLogManagerConfig.REMOTE_LOG_MANAGER_FETCH_MAX_BYTES_PER_SECOND_PROP);

  private final KafkaConfig running;

  private ChangeChecks(KafkaConfig running) {
    this.running = running;
  }

  /** Adds the checks to those of a node's configuration. */
  static void addTo(DynamicBrokerConfig dynamic, KafkaConfig running) {
    ChangeChecks checks = new ChangeChecks(running);
    add(
        dynamic,
        DynamicThreadPool.RECONFIGURABLE_CONFIGS,
        wanted -> DynamicThreadPool.validateReconfiguration(running, wanted));
    add(
        dynamic,
        Set.of(CLEANER_THREADS),
        wanted -> threads(CLEANER_THREADS, running.getInt(CLEANER_THREADS), wanted));
    add(
        dynamic,
        Set.of(
            ServerLogConfigs.LOG_RETENTION_TIME_MILLIS_CONFIG,
            RemoteLogManagerConfig.LOG_LOCAL_RETENTION_MS_PROP,
            ServerLogConfigs.LOG_RETENTION_BYTES_CONFIG,
            RemoteLogManagerConfig.LOG_LOCAL_RETENTION_BYTES_PROP),
        ChangeChecks::localRetention);
    add(dynamic, Set.of(ServerLogConfigs.CORDONED_LOG_DIRS_CONFIG), ChangeChecks::cordoned);
    add(dynamic, Set.copyOf(RATES_AND_SIZES), checks::ratesAndSizes);
    add(dynamic, Set.of(LISTENERS, PROTOCOLS), checks::listeners);
  }

  /**
   * Adds the check of {@code num.network.threads}, by the threads that run: a change is taken at
   * the next start, and several steps until then would add up to as many as nobody can start.
   */
  static void addNetworkThreads(DynamicBrokerConfig dynamic, int now) {
    add(dynamic, Set.of(NETWORK_THREADS), wanted -> threads(NETWORK_THREADS, now, wanted));
  }

  private static void add(
      DynamicBrokerConfig dynamic, Set<String> keys, Consumer<KafkaConfig> check) {
    dynamic.addBrokerReconfigurable(
        DynamicPart.judging(
            keys,
            wanted -> {
              if (ASKED.get()) {
                check.accept(wanted);
              }
            }));
  }

  /** Runs what asks whether a change may be written down. */
  static void asked(Runnable judgement) {
    ASKED.set(true);
    try {
      judgement.run();
    } finally {
      ASKED.remove();
    }
  }

  /** Threads come and go by halves and doubles, as Kafka's other pools. */
  private static void threads(String key, int now, KafkaConfig wanted) {
    int threads = wanted.getInt(key);
    if (threads < 1 || threads < now / 2 || threads > now * 2L) {
      throw new ConfigException(
          key, threads, "must be 1 at least and between half and twice of " + now);
    }
  }

  private static void localRetention(KafkaConfig wanted) {
    RemoteLogManagerConfig remote = wanted.remoteLogManagerConfig();
    notLonger(
        RemoteLogManagerConfig.LOG_LOCAL_RETENTION_MS_PROP,
        remote.logLocalRetentionMs(),
        wanted.logRetentionTimeMillis());
    notLonger(
        RemoteLogManagerConfig.LOG_LOCAL_RETENTION_BYTES_PROP,
        remote.logLocalRetentionBytes(),
        wanted.logRetentionBytes());
  }

  /** -1 is without an end, -2 of the local one: as long as the whole. */
  private static void notLonger(String key, long local, long whole) {
    if (whole != -1 && local != -2 && (local == -1 || local > whole)) {
      throw new ConfigException(key, local, "is longer than the retention of the whole, " + whole);
    }
  }

  private static void cordoned(KafkaConfig wanted) {
    for (String directory : wanted.cordonedLogDirs()) {
      if (!wanted.logDirs().contains(directory)) {
        throw new ConfigException(
            ServerLogConfigs.CORDONED_LOG_DIRS_CONFIG, directory, "is none of log.dirs");
      }
    }
  }

  private void ratesAndSizes(KafkaConfig wanted) {
    for (String key : RATES_AND_SIZES) {
      long value = wanted.getLong(key);
      if (value <= 0 && value != running.getLong(key)) {
        throw new ConfigException(key, value, "must be 1 at least");
      }
    }
  }

  /** Sockets are opened once: a change that would wait for a restart is refused. */
  private void listeners(KafkaConfig wanted) {
    for (String key : List.of(LISTENERS, PROTOCOLS)) {
      if (!Objects.equals(wanted.get(key), running.get(key))) {
        throw new ConfigException(
            key, wanted.get(key), "a running broker keeps its listeners: set it in its file");
      }
    }
  }
}
