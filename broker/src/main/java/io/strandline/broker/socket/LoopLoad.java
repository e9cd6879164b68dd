package io.strandline.broker.socket;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How idle the event loops are: the part of the time in which their threads used no processor. They
 * read, answer and call the handlers, so this is told under both of Kafka's names, {@code
 * NetworkProcessorAvgIdlePercent} and {@code RequestHandlerAvgIdlePercent}; 1 is idle.
 *
 * <p>{@link #sample} is called by one thread; values may be read by any.
 */
final class LoopLoad {
  private static final long SAMPLE_NANOS = 5_000_000_000L;
  private static final int SAMPLES_KEPT = 12;

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final LongSupplier nanoClock;
  private final List<Long> loops = new ArrayList<>();
  private final Deque<Sample> samples = new ArrayDeque<>();

  /** What the loops had used of processors by then. */
  private record Sample(long nanos, long cpuNanos) {}

  LoopLoad(
      Iterable<EventExecutor> executors,
      MeterRegistry metrics,
      KafkaMeters kafka,
      LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    for (EventExecutor executor : executors) {
      if (executor instanceof SingleThreadEventExecutor loop) {
        loops.add(loop.threadProperties().id());
      }
    }
    samples.add(now());
    Gauge.builder("strandline.socket.loops.idle", this, LoopLoad::idle).register(metrics);
    kafka.gauge(
        KafkaName.of("kafka.network", "SocketServer", "NetworkProcessorAvgIdlePercent"),
        this::idle);
    kafka.group(
        KafkaName.of("kafka.server", "KafkaRequestHandlerPool", "RequestHandlerAvgIdlePercent"),
        Map.of("OneMinuteRate", this::idle, "MeanRate", this::idle));
  }

  private Sample now() {
    long cpu = 0;
    for (long thread : loops) {
      cpu += Math.max(0, threads.getThreadCpuTime(thread));
    }
    return new Sample(nanoClock.getAsLong(), cpu);
  }

  /** Looks again when it is time. */
  synchronized void sample() {
    if (nanoClock.getAsLong() - samples.getLast().nanos >= SAMPLE_NANOS) {
      samples.add(now());
      if (samples.size() > SAMPLES_KEPT) {
        samples.remove();
      }
    }
  }

  /** Of the last minute, between 0 and 1. */
  synchronized double idle() {
    Sample then = samples.getFirst();
    Sample now = now();
    double possible = (double) (now.nanos - then.nanos) * loops.size();
    return possible <= 0
        ? 1
        : Math.min(1, Math.max(0, 1 - (now.cpuNanos - then.cpuNanos) / possible));
  }
}
