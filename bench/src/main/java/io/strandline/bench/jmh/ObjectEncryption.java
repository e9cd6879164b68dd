package io.strandline.bench.jmh;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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
 * What 64 MiB cost a store in memory, put and read in ranges of 8 MiB into memory outside the heap:
 * in clear and encrypted. The difference is what encryption costs; milliseconds of one processor.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
public class ObjectEncryption {
  private static final int OBJECT_BYTES = 64 << 20;
  private static final int RANGE_BYTES = 8 << 20;

  @Param({"segment.seg", "segment.seg.enc"})
  public String name = "";

  private final byte[] plain = new byte[OBJECT_BYTES];
  private final ByteBuffer memory = ByteBuffer.allocateDirect(RANGE_BYTES);
  private ObjectKey key = ObjectKey.of("none");
  private EncryptedObjectStore store =
      new EncryptedObjectStore(
          new MemoryObjectStore(Runnable::run, InstantSource.system()),
          KeyRing.none(),
          Runnable::run);

  /** A key of its own for each run. */
  @Setup
  public void open() throws IOException {
    SecureRandom random = new SecureRandom();
    byte[] secret = new byte[32];
    random.nextBytes(secret);
    Path ring = Files.createTempFile("ring", "");
    Files.writeString(ring, "active=k\nkey.k=" + Base64.getEncoder().encodeToString(secret));
    store =
        new EncryptedObjectStore(
            new MemoryObjectStore(Runnable::run, InstantSource.system()),
            FileKeyRing.open(ring, random),
            Runnable::run);
    ring.toFile().deleteOnExit();
    new Random(1).nextBytes(plain);
    key = ObjectKey.of(name);
    store.put(key, Payload.of(ByteBuffer.wrap(plain))).join();
  }

  @Benchmark
  public Object put() {
    return store.put(key, Payload.of(ByteBuffer.wrap(plain))).join();
  }

  /** All ranges in sequence. */
  @Benchmark
  public int get() {
    for (int at = 0; at < OBJECT_BYTES; at += RANGE_BYTES) {
      try (Landing landing = new Landing(RANGE_BYTES, this::land)) {
        store.get(new ReadRange(key, at, RANGE_BYTES), landing).join();
      }
    }
    return memory.get(0);
  }

  private void land(int fromBytes, ByteBuffer piece) {
    memory.put(fromBytes, piece, piece.position(), piece.remaining());
    piece.position(piece.limit());
  }
}
