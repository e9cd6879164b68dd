package io.strandline.bench.jmh;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** Batches as a producer makes them: values of noise up to 1 KiB. */
final class ClientBatch {
  private static final int VALUE_BYTES_MAX = 1024;
  private static final long TIMESTAMP = 1_700_000_000_000L;

  private ClientBatch() {}

  /** Records in a batch of about so many bytes. */
  static int records(int bytes) {
    return Math.max(1, bytes / VALUE_BYTES_MAX);
  }

  /**
   * @param baseOffset of its first record
   * @param bytes about how long it is
   */
  static MemoryRecords of(long baseOffset, int bytes) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(baseOffset);
    byte[] value = new byte[Math.min(VALUE_BYTES_MAX, bytes)];
    random.nextBytes(value);
    SimpleRecord[] records =
        IntStream.range(0, records(bytes))
            .mapToObj(n -> new SimpleRecord(TIMESTAMP, value))
            .toArray(SimpleRecord[]::new);
    return MemoryRecords.withRecords(baseOffset, Compression.NONE, 0, records);
  }
}
