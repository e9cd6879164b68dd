package io.strandline.tests.security;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.LoggerFactory;

/** Everything that is logged in this process between {@link #begin} and {@link #end}. */
final class Overheard extends AppenderBase<ILoggingEvent> {
  final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

  private static Logger logger(String name) {
    return (Logger) LoggerFactory.getLogger(name);
  }

  void begin() {
    Logger root = logger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    setContext(root.getLoggerContext());
    start();
    root.addAppender(this);
    // Clients of this process print their configuration at DEBUG: only the broker's are judged.
    logger("io.strandline").setLevel(Level.TRACE);
  }

  void end() {
    logger("io.strandline").setLevel(null);
    logger(org.slf4j.Logger.ROOT_LOGGER_NAME).detachAppender(this);
  }

  @Override
  protected void append(ILoggingEvent event) {
    String thrown =
        event.getThrowableProxy() == null
            ? ""
            : ThrowableProxyUtil.asString(event.getThrowableProxy());
    lines.add(
        event.getLoggerName()
            + " "
            + event.getFormattedMessage()
            + " "
            + event.getKeyValuePairs()
            + " "
            + thrown);
  }
}
