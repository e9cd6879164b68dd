package io.strandline.broker.socket;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.observe.kafka.KafkaMeters;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;

/**
 * What all requests together were like, by API: {@code strandline.request.*}, and {@code
 * kafka.network:type=RequestMetrics}. An API is there from its first request on. A request counts
 * when its answer was sent or, as in Kafka, would have been but for a lost connection.
 */
final class RequestMeters {
  static final String CONSUMER = ApiKeys.FETCH.name + "Consumer";
  static final String FOLLOWER = ApiKeys.FETCH.name + "Follower";

  private final MeterRegistry metrics;
  private final KafkaMeters kafka;
  private final ConcurrentHashMap<String, ApiMeters> byApi = new ConcurrentHashMap<>();

  RequestMeters(MeterRegistry metrics, KafkaMeters kafka) {
    this.metrics = metrics;
    this.kafka = kafka;
  }

  private ApiMeters of(String api) {
    ApiMeters known = byApi.get(api);
    return known != null
        ? known
        : byApi.computeIfAbsent(api, name -> new ApiMeters(name, metrics, kafka));
  }

  /** Counts the errors in a response that is about to be sent, each as often as it occurs. */
  void errors(Exchange exchange, AbstractResponse response) {
    var counts = response.errorCounts();
    counts.forEach(of(exchange.api().name)::error);
    if (exchange.api() == ApiKeys.FETCH) {
      counts.forEach(of(kindOfFetch(exchange))::error);
    }
  }

  /** The last byte of the answer was taken, or the connection was lost. */
  void sent(Exchange exchange, long endNanos) {
    of(exchange.api().name).record(exchange, endNanos);
    if (exchange.api() == ApiKeys.FETCH) {
      of(kindOfFetch(exchange)).record(exchange, endNanos);
    }
  }

  /**
   * There is an answer, but it is not to be sent: there is nothing to say, or nobody to say it to.
   */
  void unsent(Exchange exchange, long endNanos) {
    sent(exchange, endNanos);
  }

  private static String kindOfFetch(Exchange exchange) {
    boolean follower =
        exchange.request().body() instanceof FetchRequest fetch && fetch.isFromFollower();
    return follower ? FOLLOWER : CONSUMER;
  }
}
