package io.strandline.broker.observe;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.event.KeyValuePair;

class JsonLinesTest {
  private static String line(List<KeyValuePair> pairs, Throwable... error) {
    LoggerContext context = new LoggerContext();
    LoggingEvent event =
        new LoggingEvent(
            "x",
            context.getLogger("io.strandline.Test"),
            Level.WARN,
            "a \"quoted\" {}",
            error.length == 0 ? null : error[0],
            new Object[] {"word"});
    event.setKeyValuePairs(pairs);
    event.setThreadName("main");
    return new String(new JsonLines().encode(event), StandardCharsets.UTF_8);
  }

  @Test
  void anEventIsOneLineWithItsKeysBeside() {
    assertThat(
            line(
                List.of(
                    new KeyValuePair("offset", 5L),
                    new KeyValuePair("topic", "t"),
                    new KeyValuePair("surprise", 1))))
        .matches(
            "\\{\"time\":\"[^\"]+Z\",\"level\":\"WARN\",\"logger\":\"io.strandline.Test\","
                + "\"thread\":\"main\",\"message\":\"a \\\\\"quoted\\\\\" word\",\"offset\":5,"
                + "\"topic\":\"t\",\"other\":\\{\"surprise\":1}}\n");
  }

  @Test
  void anErrorCarriesItsTrace() {
    assertThat(line(List.of(), new IllegalStateException("broken")))
        .contains("\"error\":\"java.lang.IllegalStateException: broken")
        .hasLineCount(1);
  }
}
