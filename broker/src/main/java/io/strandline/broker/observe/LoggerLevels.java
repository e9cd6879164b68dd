package io.strandline.broker.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.LoggerFactory;

/**
 * The levels of this process's loggers, by Kafka's names: {@code root} for the root, {@code FATAL}
 * taken for {@code ERROR} (KIP-412). What is set here is gone with the process.
 */
public final class LoggerLevels {
  /** Kafka's name of the root logger. */
  public static final String ROOT = "root";

  private final Optional<LoggerContext> context;

  /** Of Logback, where that is what logs; else there are no loggers. */
  public LoggerLevels() {
    this.context =
        LoggerFactory.getILoggerFactory() instanceof LoggerContext logback
            ? Optional.of(logback)
            : Optional.empty();
  }

  /** The level that holds, by each logger's name. */
  public Map<String, String> all() {
    Map<String, String> levels = new TreeMap<>();
    context.ifPresent(
        known ->
            known
                .getLoggerList()
                .forEach(
                    logger -> levels.put(name(logger), logger.getEffectiveLevel().toString())));
    return levels;
  }

  private static String name(Logger logger) {
    return logger.getName().equals(Logger.ROOT_LOGGER_NAME) ? ROOT : logger.getName();
  }

  /** The root has Kafka's name alone: by Logback's it would pass for a logger like others. */
  private Optional<Logger> find(String name) {
    return name.equals(Logger.ROOT_LOGGER_NAME)
        ? Optional.empty()
        : context.map(known -> known.exists(name.equals(ROOT) ? Logger.ROOT_LOGGER_NAME : name));
  }

  public boolean exists(String name) {
    return find(name).isPresent();
  }

  /** Sets a logger's level; nothing without such a logger. */
  public void set(String name, String level) {
    find(name)
        .ifPresent(
            logger ->
                logger.setLevel(
                    Level.toLevel(level.equals("FATAL") ? "ERROR" : level, Level.INFO)));
  }

  /** Gives a logger the level of its parent; nothing without such a logger, or for the root. */
  public void unset(String name) {
    if (!name.equals(ROOT)) {
      find(name).ifPresent(logger -> logger.setLevel(null));
    }
  }
}
