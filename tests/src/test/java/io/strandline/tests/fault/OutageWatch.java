package io.strandline.tests.fault;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Looks at the broker's metrics once a second, and tells of each phase what an operator saw. */
final class OutageWatch implements AutoCloseable {
  private static final String REQUESTS = "strandline_store_requests_seconds_count{";
  private static final String CAUSE = "strandline_tiering_lag_cause_bytes{";

  private final BrokerProcess broker;
  private final Supplier<String> phase;
  private final List<Look> looks = new CopyOnWriteArrayList<>();
  private final Thread thread = new Thread(this::run, "watch");
  private volatile boolean stopped;

  /** What one look saw; requests are since the broker began. */
  private record Look(
      String phase,
      long nanos,
      double requests,
      double lagBytes,
      double lagAgeS,
      Set<String> causes,
      double threads,
      long residentKb) {}

  OutageWatch(BrokerProcess broker, Supplier<String> phase) {
    this.broker = broker;
    this.phase = phase;
    thread.start();
  }

  private void run() {
    while (!stopped) {
      try {
        looks.add(look());
        Thread.sleep(1_000);
      } catch (IOException e) {
        if (!stopped) {
          throw new IllegalStateException(e);
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private Look look() throws IOException {
    String now = phase.get();
    List<String> lines = broker.admin("/metrics").body().lines().toList();
    Set<String> causes = new TreeSet<>();
    lines.stream()
        .filter(line -> line.startsWith(CAUSE) && value(line) > 0)
        .forEach(line -> causes.add(line.substring(line.indexOf('"') + 1, line.lastIndexOf('"'))));
    return new Look(
        now,
        System.nanoTime(),
        sum(lines, REQUESTS),
        sum(lines, "strandline_tiering_lag_bytes "),
        sum(lines, "strandline_tiering_lag_age_seconds "),
        causes,
        sum(lines, "jvm_threads_live_threads "),
        broker.residentKb());
  }

  private static double sum(List<String> lines, String start) {
    return lines.stream()
        .filter(line -> line.startsWith(start))
        .mapToDouble(OutageWatch::value)
        .sum();
  }

  private static double value(String line) {
    return Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
  }

  /** Bytes that are not tiered, at the last look. */
  double lagBytes() {
    return looks.isEmpty() ? 0 : looks.get(looks.size() - 1).lagBytes;
  }

  /** Why, in the words of the metric, as seen in the phase. */
  Set<String> causes(String inPhase) {
    Set<String> causes = new TreeSet<>();
    of(inPhase).forEach(look -> causes.addAll(look.causes));
    return causes;
  }

  /** Requests in each second between two looks of the phase, sorted. */
  List<Double> rates(String inPhase) {
    List<Look> seen = of(inPhase);
    List<Double> rates = new ArrayList<>();
    for (int i = 1; i < seen.size(); i++) {
      double requests = seen.get(i).requests - seen.get(i - 1).requests;
      double seconds = (seen.get(i).nanos - seen.get(i - 1).nanos) / 1e9;
      rates.add(requests / seconds);
    }
    rates.sort(null);
    return rates;
  }

  private List<Look> of(String inPhase) {
    return looks.stream().filter(look -> look.phase.equals(inPhase)).toList();
  }

  /** A line for people. */
  String told(String inPhase) {
    List<Look> seen = of(inPhase);
    List<Double> rates = rates(inPhase);
    long seconds =
        TimeUnit.NANOSECONDS.toSeconds(seen.get(seen.size() - 1).nanos - seen.get(0).nanos);
    double requests = seen.get(seen.size() - 1).requests - seen.get(0).requests;
    return String.format(
        Locale.ROOT,
        "%d s: requests %.2f a second, %.0f in the busiest; lag at most %.1f MB, %.0f s old,"
            + " causes %s; threads at most %.0f, resident at most %d MB",
        seconds,
        requests / Math.max(1, seconds),
        rates.get(rates.size() - 1),
        seen.stream().mapToDouble(Look::lagBytes).max().orElse(0) / 1e6,
        seen.stream().mapToDouble(Look::lagAgeS).max().orElse(0),
        causes(inPhase),
        seen.stream().mapToDouble(Look::threads).max().orElse(0),
        seen.stream().mapToLong(Look::residentKb).max().orElse(0) / 1000);
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.interrupt();
    thread.join();
  }
}
