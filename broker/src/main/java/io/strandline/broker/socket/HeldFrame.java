package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import java.util.function.LongSupplier;

/** A request's bytes and its share of the budget, given back when run. */
final class HeldFrame implements Runnable {
  private final ByteBuf frame;
  private final int bytes;
  private final BytesBudget budget;
  private final LongSupplier nanoClock;
  private volatile boolean released;
  private volatile long releasedNanos;

  HeldFrame(ByteBuf frame, BytesBudget budget, LongSupplier nanoClock) {
    this.frame = frame;
    this.bytes = frame.readableBytes();
    this.budget = budget;
    this.nanoClock = nanoClock;
  }

  int bytes() {
    return bytes;
  }

  /** When it was given back; {@code otherwise} if it was not yet. */
  long releasedNanos(long otherwise) {
    return released ? releasedNanos : otherwise;
  }

  @Override
  public void run() {
    releasedNanos = nanoClock.getAsLong();
    released = true;
    frame.release();
    budget.release(bytes);
  }
}
