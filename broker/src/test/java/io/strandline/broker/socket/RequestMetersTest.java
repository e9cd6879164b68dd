package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class RequestMetersTest {
  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();

  private Object read(String name, String tags, String attribute) throws Exception {
    return server.getAttribute(
        new ObjectName("kafka.network:type=RequestMetrics,name=" + name + "," + tags), attribute);
  }

  @Test
  void aRequestIsCountedOnceUnderItsApiAndVersion() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c);
        SocketClient client = fixture.client()) {
      for (int i = 0; i < 3; i++) {
        client.send(SocketClient.versions(i));
        client.receive(i);
      }
      var time = fixture.metrics.get("strandline.request.time").tag("api", "ApiVersions").timer();
      // The last byte is taken just before it is counted.
      SocketFixture.await("three to be counted", () -> time.count() >= 3);
      assertThat(time.count()).isEqualTo(3);
      assertThat(read("TotalTimeMs", "request=ApiVersions", "Count")).isEqualTo(3L);
      double total = (double) read("TotalTimeMs", "request=ApiVersions", "Mean");
      double parts = 0;
      for (String part :
          new String[] {"RequestQueue", "Local", "Remote", "ResponseQueue", "ResponseSend"}) {
        parts += (double) read(part + "TimeMs", "request=ApiVersions", "Mean");
      }
      assertThat(parts).as("parts of the time").isBetween(total - 0.01, total);
      assertThat(
              server.queryNames(
                  new ObjectName(
                      "kafka.network:type=RequestMetrics,name=RequestsPerSec,"
                          + "request=ApiVersions,version=*"),
                  null))
          .hasSize(1);
      assertThat(read("ErrorsPerSec", "request=ApiVersions,error=NONE", "Count")).isEqualTo(3L);
      ObjectName listener =
          new ObjectName(
              "kafka.server:type=socket-server-metrics,listener=PLAINTEXT,networkProcessor=0");
      assertThat(server.getAttribute(listener, "connection-count")).isEqualTo(1.0);
    }
  }

  @Test
  void peersWhoKnockWithoutEndGetFewLinesAndACount() {
    AtomicLong nanos = new AtomicLong();
    SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    RefusalLog refusals = new RefusalLog(metrics, nanos::get);
    Logger logger = (Logger) LoggerFactory.getLogger(RefusalLog.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    try {
      for (int i = 0; i < 1_000; i++) {
        refusals.refused("10.0.0.1", "PLAINTEXT", "too many are open");
      }
      assertThat(lines.list).hasSize(RefusalLog.LINES);
      nanos.addAndGet(RefusalLog.WINDOW_NANOS);
      refusals.sumUp();
      assertThat(lines.list).hasSize(RefusalLog.LINES + 1);
      assertThat(lines.list.get(RefusalLog.LINES).getKeyValuePairs())
          .extracting(pair -> pair.value)
          .containsExactly(1_000L - RefusalLog.LINES);
      assertThat(metrics.get("strandline.socket.refusals.unsaid").counter().count())
          .isEqualTo(1_000.0 - RefusalLog.LINES);
      refusals.closed("10.0.0.1", "PLAINTEXT", "idle");
      assertThat(lines.list).hasSize(RefusalLog.LINES + 2);
    } finally {
      logger.detachAppender(lines);
    }
  }
}
