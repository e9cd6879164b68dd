package io.strandline.broker.observe.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.junit.jupiter.api.Test;

class MetersTest {
  private static final KafkaName NAME = KafkaName.of("strandline.test", "Meters", "One");

  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private final AtomicLong nanos = new AtomicLong();

  private static ObjectName name(String tags) throws Exception {
    return new ObjectName("strandline.test:type=Meters,name=One" + tags);
  }

  @Test
  void aRateForgetsAtItsPace() throws Exception {
    try (KafkaMeters meters = new KafkaMeters(nanos::get)) {
      Rate rate = meters.rate(NAME.with("topic", "a"), "messages");
      for (int i = 0; i < 12 * 60; i++) {
        rate.mark(50);
        nanos.addAndGet(5_000_000_000L);
        meters.tick();
      }
      ObjectName bean = name(",topic=a");
      assertThat(server.getAttribute(bean, "Count")).isEqualTo(36_000L);
      assertThat(server.getAttribute(bean, "EventType")).isEqualTo("messages");
      assertThat((double) server.getAttribute(bean, "MeanRate")).isCloseTo(10, within(1e-9));
      for (String attribute :
          new String[] {"OneMinuteRate", "FiveMinuteRate", "FifteenMinuteRate"}) {
        assertThat((double) server.getAttribute(bean, attribute)).isCloseTo(10, within(1e-6));
      }
      for (int i = 0; i < 12; i++) {
        meters.tick();
      }
      assertThat(rate.perSecond()).isCloseTo(10 / Math.E, within(1e-6));
    }
  }

  @Test
  void percentilesAreNearTheTruthAndThoseOfLately() throws Exception {
    try (KafkaMeters meters = new KafkaMeters(nanos::get)) {
      Distribution times = meters.times(NAME);
      Random random = new Random(7);
      for (int i = 0; i < 100_000; i++) {
        times.record(random.nextInt(1_000_000));
      }
      ObjectName bean = name("");
      assertThat(server.getAttribute(bean, "Count")).isEqualTo(100_000L);
      assertThat((double) server.getAttribute(bean, "50thPercentile")).isCloseTo(500, within(32.0));
      assertThat((double) server.getAttribute(bean, "99thPercentile")).isCloseTo(990, within(62.0));
      assertThat((double) server.getAttribute(bean, "Mean")).isCloseTo(500, within(5.0));
      assertThat((double) server.getAttribute(bean, "StdDev")).isCloseTo(289, within(10.0));
      assertThat((double) server.getAttribute(bean, "Max")).isCloseTo(1000, within(1.0));
      for (int i = 0; i < 300; i++) {
        times.record(2_000);
        meters.tick();
      }
      assertThat((double) server.getAttribute(bean, "99thPercentile")).isCloseTo(2, within(0.13));
      assertThat((double) server.getAttribute(bean, "Max")).isCloseTo(1000, within(1.0));
    }
  }

  @Test
  void valuesAtTheEdgesHaveAPlace() {
    Distribution sizes = new Distribution(1);
    for (long value : new long[] {-1, 0, 7, 8, 15, 16, 1L << 33, Long.MAX_VALUE}) {
      sizes.record(value);
    }
    assertThat(sizes.count()).isEqualTo(8);
    assertThat(sizes.min()).isZero();
    assertThat(sizes.max()).isEqualTo(Long.MAX_VALUE);
    assertThat(sizes.percentile(0)).isZero();
  }

  @Test
  void everyAttributeThatIsToldCanBeRead() throws Exception {
    try (KafkaMeters meters = new KafkaMeters(nanos::get)) {
      meters.rate(NAME.with("kind", "rate"), "requests").mark();
      meters.sizes(NAME.with("kind", "sizes")).record(1);
      meters.timing(NAME.with("kind", "timing"), "calls").record(3_000_000);
      meters.gauge(NAME.with("kind", "gauge"), () -> 7);
      meters.group(NAME.with("kind", "group"), Map.of("some-count", () -> 9.0));
      for (ObjectName bean : server.queryNames(name(",*"), null)) {
        for (MBeanAttributeInfo attribute : server.getMBeanInfo(bean).getAttributes()) {
          Object value = server.getAttribute(bean, attribute.getName());
          assertThat(value).as("%s %s", bean, attribute.getName()).isNotNull();
        }
      }
      assertThat(server.getAttribute(name(",kind=gauge"), "Value")).isEqualTo(7);
      assertThat(server.getAttribute(name(",kind=group"), "some-count")).isEqualTo(9.0);
      assertThat((double) server.getAttribute(name(",kind=timing"), "Max")).isEqualTo(3.0);
    }
    assertThat(server.queryNames(name(",*"), null)).isEmpty();
  }

  @Test
  void aNameThatSomeoneElseTookIsTakenBack() throws Exception {
    try (KafkaMeters meters = new KafkaMeters(nanos::get)) {
      meters.gauge(NAME, () -> 1);
      server.unregisterMBean(name(""));
      server.registerMBean(new StandardMBean(() -> 2, Supplier.class), name(""));
      meters.tick();
      assertThat(server.getAttribute(name(""), "Value")).isEqualTo(1);
    }
  }

  @Test
  void aNameMayBeTakenOverAndHasToBeQuotedAtTimes() throws Exception {
    KafkaMeters first = new KafkaMeters(nanos::get);
    KafkaMeters second = new KafkaMeters(nanos::get);
    first.gauge(NAME.with("topic", "a,b*"), () -> 1);
    second.gauge(NAME.with("topic", "a,b*"), () -> 2);
    first.close();
    ObjectName bean = NAME.with("topic", "a,b*").objectName();
    assertThat(ObjectName.unquote(bean.getKeyProperty("topic"))).isEqualTo("a,b*");
    assertThat(server.getAttribute(bean, "Value")).isEqualTo(2);
    second.close();
    assertThat(server.isRegistered(bean)).isFalse();
  }
}
