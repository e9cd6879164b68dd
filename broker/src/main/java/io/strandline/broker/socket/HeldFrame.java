package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.strandline.broker.socket.memory.BytesBudget;
import java.util.function.LongSupplier;

/** A request's bytes and its share of the budget, given back when run; that is done once. */
final class HeldFrame implements Runnable {
  private final ByteBuf frame;
  private final int bytes;
  private final BytesBudget.Claim claim;
  private final LongSupplier nanoClock;
  private volatile boolean released;
  private volatile long releasedNanos;

  HeldFrame(ByteBuf frame, BytesBudget.Claim claim, LongSupplier nanoClock) {
    this.frame = frame;
    this.bytes = frame.readableBytes();
    this.claim = claim;
    this.nanoClock = nanoClock;
  }

  int bytes() {
    return bytes;
  }

  ByteBuf buffer() {
    return frame;
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
    claim.end();
  }
}
