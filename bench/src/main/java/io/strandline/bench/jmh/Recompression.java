package io.strandline.bench.jmh;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.upload.BatchRecompression;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to compress a segment's batches again, and what is left of them: events as JSON,
 * some 310 bytes each, 200 in a batch, 12.4 MB before any compression.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
public class Recompression {
  private static final int BATCHES = 200;
  private static final int RECORDS = 200;
  private static final String[] PATHS = {"/api/v1/orders", "/api/v1/carts", "/login", "/search"};
  private static final String[] AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile",
    "okhttp/4.12.0"
  };

  /** How the producer compressed. */
  @Param({"none", "lz4", "gzip"})
  public String codec = "";

  /** Of zstd. */
  @Param({"1", "3", "9"})
  public int level;

  private final List<ByteBuffer> batches = new ArrayList<>();
  private BatchRecompression recompression = new BatchRecompression(1, BatchBounds.defaults());

  /** Bytes in and out, in MB. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Megabytes {
    public double plain;
    public double before;
    public double after;
  }

  private double plainBytes;

  @Setup
  public void produce() {
    recompression = new BatchRecompression(level, BatchBounds.defaults());
    Random random = new Random(1);
    Compression compression = Compression.of(CompressionType.forName(codec)).build();
    for (int i = 0; i < BATCHES; i++) {
      SimpleRecord[] records = new SimpleRecord[RECORDS];
      for (int n = 0; n < RECORDS; n++) {
        byte[] value = event(random, i * RECORDS + n).getBytes(StandardCharsets.UTF_8);
        plainBytes += value.length;
        records[n] = new SimpleRecord(1_700_000_000_000L + n, null, value);
      }
      batches.add(
          MemoryRecords.withRecords((byte) 2, 0, compression, TimestampType.CREATE_TIME, records)
              .buffer());
    }
  }

  private static String event(Random random, int number) {
    return String.format(
        Locale.ROOT,
        "{\"id\":\"%s\",\"time\":\"2026-11-21T10:%02d:%02d.%03dZ\",\"user\":%d,\"session\":\"%016x\","
            + "\"path\":\"%s/%d\",\"status\":%d,\"ms\":%.2f,\"ip\":\"10.%d.%d.%d\",\"agent\":\"%s\","
            + "\"tags\":[\"eu-west\",\"web\"],\"amount\":%d}",
        new UUID(random.nextLong(), random.nextLong()),
        number / 60_000 % 60,
        number / 1000 % 60,
        number % 1000,
        random.nextInt(100_000),
        random.nextLong(),
        PATHS[random.nextInt(PATHS.length)],
        random.nextInt(10_000),
        random.nextInt(20) == 0 ? 500 : 200,
        random.nextDouble() * 300,
        random.nextInt(256),
        random.nextInt(256),
        random.nextInt(256),
        AGENTS[random.nextInt(AGENTS.length)],
        random.nextInt(100_000));
  }

  /** Every batch once. */
  @Benchmark
  public void recompress(Megabytes megabytes) {
    double before = 0;
    double after = 0;
    for (ByteBuffer batch : batches) {
      before += batch.remaining();
      after += recompression.shorter(batch).orElse(batch).remaining();
    }
    megabytes.plain = plainBytes / 1e6;
    megabytes.before = before / 1e6;
    megabytes.after = after / 1e6;
  }
}
