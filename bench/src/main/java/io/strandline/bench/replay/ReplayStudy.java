package io.strandline.bench.replay;

import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.load.History;
import io.strandline.bench.meter.ProcessUse;
import io.strandline.bench.objects.ObjectServer;
import java.io.IOException;

/**
 * Replays a topic's past out of a store, and lets a bare client read the same objects.
 *
 * <p>The store is {@link ObjectServer}, in this process. Runs of both alternate. A broker's
 * processor time is divided by what it got from the store, or by what it gave if that is less: hits
 * in its cache shall not flatter it.
 */
public final class ReplayStudy implements AutoCloseable {
  private final ObjectServer store;
  private final RunningBroker broker;
  private final History history;
  private final BareClient bare;
  private final BareClient own;

  /**
   * @param store the store that holds the history
   * @param getBytes longest GET of both
   */
  public ReplayStudy(ObjectServer store, RunningBroker broker, History history, int getBytes)
      throws IOException {
    this.store = store;
    this.broker = broker;
    this.history = history;
    this.bare = BareClient.start(store.uri(), BareClient.Whose.BARE, getBytes, History.PARTITIONS);
    this.own = BareClient.start(store.uri(), BareClient.Whose.OWN, getBytes, History.PARTITIONS);
  }

  /**
   * What one reading of everything cost.
   *
   * @param readBytes that the reader was given
   * @param storeBytes that left the store for it
   */
  public record Reading(double seconds, double cpuSeconds, long readBytes, long storeBytes) {
    public double bytesPerSecond() {
      return Math.min(readBytes, storeBytes) / seconds;
    }

    public double cpuSecondsPerGb() {
      return cpuSeconds / (Math.min(readBytes, storeBytes) / 1e9);
    }

    /** More than 1: something is fetched twice; less: it came from the cache. */
    public double amplification() {
      return (double) storeBytes / readBytes;
    }
  }

  /** A work that returns bytes. */
  private interface Read {
    long all() throws IOException;
  }

  /** Replays from the beginning, through the broker. */
  public Reading replay() throws IOException {
    history.rewind();
    return measure(broker.pid(), history::readAll);
  }

  /** Reads the objects themselves, by the SDK's client as it is. */
  public Reading bare() throws IOException {
    return measure(bare.pid(), bare::readAll);
  }

  /** The same by the tier's client: what its way of receiving costs alone. */
  public Reading own() throws IOException {
    return measure(own.pid(), own::readAll);
  }

  private Reading measure(long pid, Read read) throws IOException {
    long sent = store.sentBytes();
    double cpu = ProcessUse.of(pid).cpuSeconds();
    long begun = System.nanoTime();
    long bytes = read.all();
    double seconds = (System.nanoTime() - begun) / 1e9;
    cpu = ProcessUse.of(pid).cpuSeconds() - cpu;
    return new Reading(seconds, cpu, bytes, store.sentBytes() - sent);
  }

  @Override
  public void close() {
    bare.close();
    own.close();
  }
}
