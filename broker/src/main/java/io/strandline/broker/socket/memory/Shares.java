package io.strandline.broker.socket.memory;

import java.util.function.LongSupplier;

/**
 * The memory for requests that are being read or served, and who may hold how much of it: three
 * quarters for frames of clients, a sixteenth for frames of theirs that have only begun, an eighth
 * for who has not logged in yet where that is asked for, a sixteenth as a reserve of the brokers'
 * own listener. Any thread.
 */
public final class Shares {
  private static final int SIXTEENTHS = 16;

  private final long maxBytes;
  private final Share clients;
  private final Share strangers;
  private final Share brokers;

  /**
   * @param requestBytesMax longest frame, for which there is room in any case
   */
  public Shares(long maxBytes, int requestBytesMax, LongSupplier nanoClock) {
    this.maxBytes = maxBytes;
    long part = maxBytes / SIXTEENTHS;
    long whole = Math.max(maxBytes - 4 * part, requestBytesMax);
    long large = Math.max(whole / 2, requestBytesMax);
    this.clients =
        new Share(
            new BytesBudget(part, part, nanoClock), new BytesBudget(whole, large, nanoClock), null);
    this.strangers =
        new Share(
            new BytesBudget(part, part, nanoClock), new BytesBudget(part, part, nanoClock), null);
    this.brokers =
        new Share(
            new BytesBudget(part / 2, part / 2, nanoClock),
            new BytesBudget(part / 2, part / 2, nanoClock),
            clients);
  }

  /** Of those who are known, or of all where nobody is asked. */
  public Share clients() {
    return clients;
  }

  /** Of those who have to say who they are and have not yet. */
  public Share strangers() {
    return strangers;
  }

  /** Of those on the listener that brokers use among themselves. */
  public Share brokers() {
    return brokers;
  }

  public long maxBytes() {
    return maxBytes;
  }

  public long usedBytes() {
    return clients.usedBytes() + strangers.usedBytes() + brokers.usedBytes();
  }
}
