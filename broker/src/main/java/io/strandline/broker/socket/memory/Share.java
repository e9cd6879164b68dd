package io.strandline.broker.socket.memory;

import org.jspecify.annotations.Nullable;

/**
 * What peers of one kind may hold of the memory for requests. It has two parts, so that those who
 * have shown little of what they claim cannot keep others from finishing: one for frames of which
 * only the beginning has come, one for frames that are as good as here. Who holds bytes of the
 * second waits for none, so that frames once let in are finished. Any thread.
 */
public final class Share {
  private final BytesBudget begun;
  private final BytesBudget whole;
  private final @Nullable Share before;

  /**
   * @param before of which is taken as long as there is something; this one is its reserve
   */
  Share(BytesBudget begun, BytesBudget whole, @Nullable Share before) {
    this.begun = begun;
    this.whole = whole;
    this.before = before;
  }

  /**
   * Claims bytes for the beginning of a frame. They may be kept for the whole of a short one.
   *
   * @param whenGranted run if the claim was not granted at once but later: must only hand on
   */
  public BytesBudget.Claim begun(int bytes, Runnable whenGranted) {
    BytesBudget.Claim taken = before == null ? null : before.begun.take(bytes);
    return taken == null ? begun.claim(bytes, whenGranted) : taken;
  }

  /** Claims bytes for a whole frame. As {@link #begun}. */
  public BytesBudget.Claim whole(int bytes, Runnable whenGranted) {
    if (before == null) {
      return whole.claim(bytes, whenGranted);
    }
    if (bytes > BytesBudget.LARGE_BYTES) {
      return before.whole.claim(bytes, whenGranted);
    }
    BytesBudget.Claim taken = before.whole.take(bytes);
    return taken == null ? whole.claim(bytes, whenGranted) : taken;
  }

  long usedBytes() {
    return begun.usedBytes() + whole.usedBytes();
  }
}
