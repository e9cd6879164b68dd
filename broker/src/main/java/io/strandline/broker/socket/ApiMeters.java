package io.strandline.broker.socket;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.strandline.broker.observe.kafka.Distribution;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import io.strandline.broker.observe.kafka.Rate;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.DoubleStream;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The meters of one API, or of one of the kinds of Fetch that Kafka tells apart. */
final class ApiMeters {
  private static final Duration[] BUCKETS =
      DoubleStream.of(0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
          .mapToObj(millis -> Duration.ofNanos((long) (millis * 1e6)))
          .toArray(Duration[]::new);

  private final String name;
  private final KafkaMeters kafka;
  private final MeterRegistry metrics;
  private final boolean apiOfItsOwn;
  private final Distribution queue;
  private final Distribution local;
  private final Distribution remote;
  private final Distribution throttle;
  private final Distribution responseQueue;
  private final Distribution send;
  private final Distribution total;
  private final Distribution size;
  private final @Nullable Told prometheus;
  private final ConcurrentHashMap<Short, Rate> versions = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Errors, Rate> errors = new ConcurrentHashMap<>();

  ApiMeters(String name, MeterRegistry metrics, KafkaMeters kafka) {
    this.name = name;
    this.metrics = metrics;
    this.kafka = kafka;
    this.apiOfItsOwn = !name.equals(RequestMeters.CONSUMER) && !name.equals(RequestMeters.FOLLOWER);
    this.queue = kafka.times(named("RequestQueueTimeMs"));
    this.local = kafka.times(named("LocalTimeMs"));
    this.remote = kafka.times(named("RemoteTimeMs"));
    this.throttle = kafka.times(named("ThrottleTimeMs"));
    this.responseQueue = kafka.times(named("ResponseQueueTimeMs"));
    this.send = kafka.times(named("ResponseSendTimeMs"));
    this.total = kafka.times(named("TotalTimeMs"));
    this.size = kafka.sizes(named("RequestBytes"));
    this.prometheus = apiOfItsOwn ? new Told(name, metrics) : null;
  }

  /** The same for Prometheus, by API alone. */
  private static final class Told {
    private final Timer time;
    private final Counter requestBytes;
    private final Counter responseBytes;
    private final Counter throttled;

    Told(String api, MeterRegistry metrics) {
      this.time =
          Timer.builder("strandline.request.time")
              .tag("api", api)
              .serviceLevelObjectives(BUCKETS)
              .register(metrics);
      this.requestBytes =
          Counter.builder("strandline.request.received")
              .baseUnit("bytes")
              .tag("api", api)
              .register(metrics);
      this.responseBytes =
          Counter.builder("strandline.request.answered")
              .baseUnit("bytes")
              .tag("api", api)
              .register(metrics);
      this.throttled =
          Counter.builder("strandline.request.throttled")
              .baseUnit("seconds")
              .tag("api", api)
              .register(metrics);
    }

    void record(Exchange exchange, long endNanos) {
      time.record(exchange.totalNanos(endNanos), TimeUnit.NANOSECONDS);
      requestBytes.increment((double) exchange.requestBytes());
      responseBytes.increment((double) exchange.responseBytes());
      if (exchange.throttleMs() > 0) {
        throttled.increment(exchange.throttleMs() / 1e3);
      }
    }
  }

  private KafkaName named(String meter) {
    return KafkaName.of("kafka.network", "RequestMetrics", meter).with("request", name);
  }

  void record(Exchange exchange, long endNanos) {
    rate(exchange.request().version()).mark();
    record(queue, exchange.queueNanos());
    record(local, exchange.localNanos());
    record(remote, exchange.remoteNanos());
    record(throttle, exchange.throttleMs() * 1_000_000L);
    record(responseQueue, exchange.responseQueueNanos(endNanos));
    record(send, exchange.sendNanos(endNanos));
    record(total, exchange.totalNanos(endNanos));
    size.record(exchange.requestBytes());
    if (prometheus != null) {
      prometheus.record(exchange, endNanos);
    }
  }

  /** An error, or {@code NONE}, was so many times in a response. */
  void error(Errors error, int times) {
    Rate known = errors.get(error);
    if (known == null) {
      known = errors.computeIfAbsent(error, this::errorRate);
    }
    known.mark(times);
  }

  private Rate errorRate(Errors error) {
    Rate rate = kafka.rate(named("ErrorsPerSec").with("error", error.name()), "requests");
    if (apiOfItsOwn && error != Errors.NONE) {
      FunctionCounter.builder("strandline.request.errors", rate, Rate::count)
          .tag("api", name)
          .tag("error", error.name())
          .register(metrics);
    }
    return rate;
  }

  private static void record(Distribution times, long nanos) {
    times.record(TimeUnit.NANOSECONDS.toMicros(nanos));
  }

  private Rate rate(short version) {
    Rate known = versions.get(version);
    return known != null
        ? known
        : versions.computeIfAbsent(
            version, v -> kafka.rate(named("RequestsPerSec").with("version", v), "requests"));
  }
}
