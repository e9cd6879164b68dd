package io.strandline.tests.fuzz;

import java.util.Random;

/**
 * A decoder, how to make inputs for it, and what it promises whatever it is given. All chance comes
 * from the argument; all work is done on the calling thread.
 */
interface FuzzTarget {
  /**
   * How much memory one input may cost.
   *
   * @param bytesPerByte of input
   * @param fixedBytes whatever the input
   */
  record Allowance(int bytesPerByte, long fixedBytes) {
    long bytes(byte[] input) {
      return fixedBytes + (long) bytesPerByte * input.length;
    }
  }

  /** Under which its corpus lies. */
  String name();

  /** Valid or nearly so. */
  byte[] input(Random chance);

  /**
   * Decodes, uses what came out, and checks it.
   *
   * @throws Exception what the decoder promises to throw, or what {@link #promises} does not know
   */
  void decode(byte[] input) throws Exception;

  /** Whether the decoder may fail so. */
  boolean promises(Throwable failure);

  Allowance allowance();
}
