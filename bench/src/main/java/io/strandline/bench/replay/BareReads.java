package io.strandline.bench.replay;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import io.strandline.tiering.store.s3.S3Location;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGeneratorFactory;

/**
 * A process that does what a replay cannot do without: it gets every segment's object of a store,
 * in ranges and a few at a time, and throws the bytes away as they arrive.
 *
 * <p>Takes the store's URI, and whose client does it: {@code bare}, the SDK's as it is ({@link
 * SdkGets}) or plain reads of files ({@link FileGets}), or {@code own}, the tier's. For each line
 * on standard input it reads everything once and prints how many bytes that were.
 */
final class BareReads {
  /** A manifest or the owner's mark is shorter, a segment worth measuring is not. */
  private static final long SEGMENT_BYTES_MIN = 256 * 1024;

  private final Gets gets;
  private final int parallel;

  private BareReads(Gets gets, int parallel) {
    this.gets = gets;
    this.parallel = parallel;
  }

  public static void main(String[] args) throws Exception {
    ExecutorService blocking = Executors.newFixedThreadPool(4);
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    StoreRuntime runtime =
        new StoreRuntime(
            new StoreRuntime.Time(InstantSource.system(), System::nanoTime),
            RandomGeneratorFactory.of("L64X128MixRandom").create(),
            blocking,
            timer,
            new SimpleMeterRegistry());
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (ObjectStore store = Stores.open(args[0], StoreConfig.defaults(), runtime)) {
      Gets gets = args[1].equals("own") ? own(store) : bare(args[0], blocking);
      List<ReadRange> ranges = ranges(store, Integer.parseInt(args[2]));
      BareReads reads = new BareReads(gets, Integer.parseInt(args[3]));
      while (in.readLine() != null) {
        System.out.println(reads.readAll(ranges));
        System.out.flush();
      }
    }
    System.exit(0);
  }

  private static Gets own(ObjectStore store) {
    return range ->
        store.get(
            range,
            new Landing(range.lengthBytes(), (from, piece) -> piece.position(piece.limit())));
  }

  private static Gets bare(String uri, Executor threads) {
    return uri.startsWith("file:")
        ? new FileGets(Path.of(uri.substring("file:".length())), threads)
        : new SdkGets(S3Location.parse(uri));
  }

  private static List<ReadRange> ranges(ObjectStore store, int rangeBytes) {
    List<ReadRange> ranges = new ArrayList<>();
    String after = "";
    ObjectStore.Page page;
    do {
      page = store.list("", after, 1000).join();
      for (ObjectInfo object : page.objects()) {
        after = object.key().value();
        if (object.lengthBytes() >= SEGMENT_BYTES_MIN) {
          for (long at = 0; at < object.lengthBytes(); at += rangeBytes) {
            int length = (int) Math.min(rangeBytes, object.lengthBytes() - at);
            ranges.add(new ReadRange(object.key(), at, length));
          }
        }
      }
    } while (page.more());
    return ranges;
  }

  private long readAll(List<ReadRange> ranges) {
    Queue<ReadRange> left = new ConcurrentLinkedQueue<>(ranges);
    CompletableFuture<?>[] lanes = new CompletableFuture<?>[parallel];
    for (int i = 0; i < parallel; i++) {
      lanes[i] = lane(left);
    }
    CompletableFuture.allOf(lanes).join();
    return ranges.stream().mapToLong(ReadRange::lengthBytes).sum();
  }

  private CompletableFuture<Void> lane(Queue<ReadRange> left) {
    ReadRange next = left.poll();
    return next == null ? CompletableFuture.allOf() : gets.get(next).thenCompose(got -> lane(left));
  }
}
