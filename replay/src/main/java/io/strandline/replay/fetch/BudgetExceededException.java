package io.strandline.replay.fetch;

/** A single batch that the whole byte budget cannot hold. */
public final class BudgetExceededException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BudgetExceededException(long bytes, long capacityBytes) {
    super("a batch needs " + bytes + " bytes of a budget of " + capacityBytes);
  }
}
