package io.strandline.broker.socket;

import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import io.strandline.broker.observe.kafka.Rate;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The connections of one listener: {@code kafka.server:type=socket-server-metrics}. Kafka tells
 * them by network thread; here all threads of a listener together are number 0.
 */
final class ListenerMeters {
  private final Rate opened;
  private final Rate closed;
  private final Rate authenticated;
  private final Rate refused;
  private final Rate blockedNanos;

  ListenerMeters(String listener, KafkaMeters kafka) {
    KafkaName name =
        KafkaName.of("kafka.server", "socket-server-metrics", "")
            .with("listener", listener)
            .with("networkProcessor", 0);
    opened = kafka.member(name, "connection-creation-rate", "connections");
    closed = kafka.member(name, "connection-close-rate", "connections");
    authenticated = kafka.member(name, "successful-authentication-rate", "authentications");
    refused = kafka.member(name, "failed-authentication-rate", "authentications");
    KafkaName acceptor =
        KafkaName.of("kafka.network", "Acceptor", "AcceptorBlockedPercent")
            .with("listener", listener);
    blockedNanos = kafka.member(acceptor, "blocked", "blocked time");
    kafka.group(
        acceptor,
        Map.of(
            "Count", blockedNanos::count,
            "EventType", () -> "blocked time",
            "RateUnit", () -> TimeUnit.NANOSECONDS,
            "OneMinuteRate", () -> blockedNanos.perSecond() / TimeUnit.SECONDS.toNanos(1)));
    kafka.group(
        name,
        Map.of(
            "successful-authentication-rate", authenticated::perSecond,
            "successful-authentication-total", () -> (double) authenticated.count(),
            "failed-authentication-rate", refused::perSecond,
            "failed-authentication-total", () -> (double) refused.count(),
            "connection-count", () -> (double) (opened.count() - closed.count()),
            "connection-creation-rate", opened::perSecond,
            "connection-creation-total", () -> (double) opened.count(),
            "connection-close-rate", closed::perSecond,
            "connection-close-total", () -> (double) closed.count()));
  }

  void opened() {
    opened.mark();
  }

  /** For so long nobody was let in. */
  void blocked(long nanos) {
    blockedNanos.mark(nanos);
  }

  void closed() {
    closed.mark();
  }

  void authenticated() {
    authenticated.mark();
  }

  void refused() {
    refused.mark();
  }
}
