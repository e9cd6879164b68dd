package io.strandline.broker.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.slf4j.LoggerFactory;

/**
 * Logging without a file: readable lines on standard error, or one JSON object a line. Found by
 * Logback as a service; steps back when {@code -Dlogback.configurationFile} names a file.
 */
public final class LogSetup extends ContextAwareBase implements Configurator {
  private static final String CONSOLE = "%d{HH:mm:ss.SSS} %-5level %logger{24} %msg %kvp%n";

  /** What {@code strandline.log.format} may say. */
  public enum Format {
    /** For people. */
    CONSOLE,
    /** For machines: see {@link JsonLines}. */
    JSON
  }

  /** Used by Logback. */
  public LogSetup() {}

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    if (System.getProperty("logback.configurationFile") != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    apply(context, Format.CONSOLE, Level.INFO);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /**
   * Sets format and level of this process, unless a file does.
   *
   * @param level of our own loggers; libraries speak from WARN on, from DEBUG when this is TRACE
   */
  public static void apply(Format format, String level) {
    if (System.getProperty("logback.configurationFile") == null
        && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      apply(context, format, Level.toLevel(level, Level.INFO));
    }
  }

  private static void apply(LoggerContext context, Format format, Level level) {
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.detachAndStopAllAppenders();
    ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
    appender.setContext(context);
    appender.setTarget("System.err");
    appender.setEncoder(encoder(context, format));
    appender.start();
    root.addAppender(appender);
    root.setLevel(level == Level.TRACE ? Level.DEBUG : Level.WARN);
    // Warns of every first start of a cluster, as if it were a fault.
    context
        .getLogger("org.apache.kafka.controller.QuorumController")
        .setLevel(level == Level.TRACE ? Level.DEBUG : Level.ERROR);
    // Tells each time it is made, which is at every change, what an operator set for another role.
    context
        .getLogger("kafka.server.KafkaConfig")
        .setLevel(level == Level.TRACE ? Level.DEBUG : Level.ERROR);
    // Prints whole requests at DEBUG, and with them what passwords were salted to.
    context.getLogger("kafka.request.logger").setLevel(Level.WARN);
    context.getLogger("io.strandline").setLevel(level);
  }

  private static Encoder<ILoggingEvent> encoder(LoggerContext context, Format format) {
    if (format == Format.JSON) {
      JsonLines json = new JsonLines();
      json.setContext(context);
      json.start();
      return json;
    }
    PatternLayoutEncoder lines = new PatternLayoutEncoder();
    lines.setContext(context);
    lines.setPattern(CONSOLE);
    lines.start();
    return lines;
  }
}
