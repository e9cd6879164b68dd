package io.strandline.bench.replay;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGeneratorFactory;

/**
 * A process that does what a replay cannot do without: it gets every segment's object of a store,
 * in ranges and a few at a time, with the tier's own client, and throws the bytes away.
 *
 * <p>Takes the store's URI. For each line on standard input it reads everything once and prints how
 * many bytes that were.
 */
final class BareReads {
  /** A manifest or the owner's mark is shorter, a segment worth measuring is not. */
  private static final long SEGMENT_BYTES_MIN = 256 * 1024;

  private final ObjectStore store;
  private final int rangeBytes;
  private final int parallel;

  private BareReads(ObjectStore store, int rangeBytes, int parallel) {
    this.store = store;
    this.rangeBytes = rangeBytes;
    this.parallel = parallel;
  }

  /** One GET. */
  private record Range(ObjectInfo object, long positionBytes, int lengthBytes) {}

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
      BareReads reads = new BareReads(store, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
      List<Range> ranges = reads.ranges();
      while (in.readLine() != null) {
        System.out.println(reads.readAll(ranges));
        System.out.flush();
      }
    }
    System.exit(0);
  }

  private List<Range> ranges() {
    List<Range> ranges = new ArrayList<>();
    String after = "";
    ObjectStore.Page page;
    do {
      page = store.list("", after, 1000).join();
      for (ObjectInfo object : page.objects()) {
        after = object.key().value();
        if (object.lengthBytes() >= SEGMENT_BYTES_MIN) {
          for (long at = 0; at < object.lengthBytes(); at += rangeBytes) {
            ranges.add(
                new Range(object, at, (int) Math.min(rangeBytes, object.lengthBytes() - at)));
          }
        }
      }
    } while (page.more());
    return ranges;
  }

  private long readAll(List<Range> ranges) {
    Queue<Range> left = new ConcurrentLinkedQueue<>(ranges);
    CompletableFuture<?>[] lanes = new CompletableFuture<?>[parallel];
    for (int i = 0; i < parallel; i++) {
      lanes[i] = lane(left);
    }
    CompletableFuture.allOf(lanes).join();
    return ranges.stream().mapToLong(Range::lengthBytes).sum();
  }

  private CompletableFuture<Void> lane(Queue<Range> left) {
    Range next = left.poll();
    return next == null
        ? CompletableFuture.allOf()
        : store
            .get(next.object().key(), next.positionBytes(), next.lengthBytes())
            .thenCompose(bytes -> lane(left));
  }
}
