package io.strandline.bench.load;

import java.io.IOException;
import java.util.List;

/** The workloads we publish. */
public final class Workloads {
  /** The producer's own defaults. */
  private static final int BATCH = 16 * 1024;

  private static final int LINGER_MILLIS = 5;
  private static final int PARTITIONS = 4;
  private static final int KIB = 1024;

  private Workloads() {}

  public static List<Workload> all() throws IOException {
    Payload kib = Payload.noise(KIB);
    Payload text = RealText.values(KIB);
    Production plain = production(kib, "none");
    return List.of(
        new Produce("produce 1 KiB", plain, false),
        new Produce("produce 100 B", production(Payload.noise(100), "none"), false),
        new Produce("produce text lz4", production(text, "lz4"), false),
        new Produce("produce text zstd", production(text, "zstd"), false),
        new Produce(
            "produce 500 partitions",
            new Production(kib, 500, 4 * KIB, LINGER_MILLIS, "none"),
            false),
        new Produce("produce over TLS", plain, true),
        new Consume("consume 1 reader", plain, 1, false),
        new Consume("consume 4 readers", plain, 4, false),
        new Consume("consume over TLS", plain, 1, true),
        new FixedRate("latency 5000/s", new Production(kib, PARTITIONS, BATCH, 0, "none"), 5000));
  }

  private static Production production(Payload payload, String codec) {
    return new Production(payload, PARTITIONS, BATCH, LINGER_MILLIS, codec);
  }
}
