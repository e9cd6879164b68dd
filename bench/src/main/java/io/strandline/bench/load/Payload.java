package io.strandline.bench.load;

import java.util.List;
import java.util.random.RandomGeneratorFactory;

/**
 * Values of records, the same in every run.
 *
 * @param values given out in turn
 */
record Payload(List<byte[]> values) {
  private static final long SEED = 42;

  Payload {
    values = List.copyOf(values);
  }

  /** One value of noise. */
  static Payload noise(int bytes) {
    byte[] value = new byte[bytes];
    RandomGeneratorFactory.of("L64X128MixRandom").create(SEED).nextBytes(value);
    return new Payload(List.of(value));
  }

  byte[] value(long record) {
    return values.get((int) (record % values.size()));
  }
}
