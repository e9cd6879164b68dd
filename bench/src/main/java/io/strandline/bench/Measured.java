package io.strandline.bench;

import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.Outcome;
import io.strandline.bench.meter.Allocation;
import io.strandline.bench.meter.ProcessUse;
import java.io.IOException;

/** A broker with the meters that read it. Closing it stops the broker. */
final class Measured implements AutoCloseable {
  private static final double MB = 1e6;
  private static final double GB = 1e9;

  private final RunningBroker broker;
  private final Allocation allocation;

  Measured(RunningBroker broker) throws IOException {
    this.broker = broker;
    this.allocation = Allocation.of(broker.pid());
  }

  RunningBroker broker() {
    return broker;
  }

  String name() {
    return broker.contender().name();
  }

  /** Does one run and notes its figures under the workload's name. */
  void run(String workload, Load load, Figures figures) throws Exception {
    long allocated = allocation.bytes();
    double cpu = ProcessUse.of(broker.pid()).cpuSeconds();
    long begun = System.nanoTime();
    Outcome outcome = load.run();
    double seconds = (System.nanoTime() - begun) / 1e9;
    cpu = ProcessUse.of(broker.pid()).cpuSeconds() - cpu;
    allocated = allocation.bytes() - allocated;
    if (outcome.latencies().isPresent()) {
      figures.note(workload + ", p50 ms", name(), outcome.latencies().get().millis(0.5));
      figures.note(workload + ", p99 ms", name(), outcome.latencies().get().millis(0.99));
    } else {
      figures.note(workload + ", MB/s", name(), outcome.bytes() / seconds / MB);
    }
    figures.note(workload + ", broker CPU s/GB", name(), cpu / (outcome.bytes() / GB));
    figures.note(
        workload + ", allocated KiB a request", name(), allocated / outcome.requests() / 1024);
  }

  /** Notes how much memory the broker takes now. */
  void resident(String when, Figures figures) throws IOException {
    double mib = ProcessUse.of(broker.pid()).residentBytes() / (double) (1 << 20);
    figures.note("resident memory " + when + ", MiB", name(), mib);
  }

  @Override
  public void close() throws IOException {
    try {
      allocation.close();
    } finally {
      broker.close();
    }
  }
}
