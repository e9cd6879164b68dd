package io.strandline.broker.node;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How long each part of a start took; told at DEBUG, because a start is to take two seconds. */
public final class StartupPhases {
  private static final Logger LOG = LoggerFactory.getLogger(StartupPhases.class);

  private final LongSupplier nanos;
  private final long begin;
  private final List<String> told = new ArrayList<>();
  private long last;

  public StartupPhases(LongSupplier nanos) {
    this.nanos = nanos;
    this.begin = nanos.getAsLong();
    this.last = begin;
  }

  /** The phase that ends now. */
  public synchronized void done(String phase) {
    long now = nanos.getAsLong();
    long ms = (now - last) / 1_000_000;
    last = now;
    told.add(phase + " " + ms + " ms");
    LOG.atDebug().addKeyValue("state", phase).addKeyValue("ms", ms).log("phase of the start done");
  }

  /** Milliseconds since the beginning. */
  public long totalMs() {
    return (nanos.getAsLong() - begin) / 1_000_000;
  }

  @Override
  public synchronized String toString() {
    return String.join(", ", told);
  }
}
