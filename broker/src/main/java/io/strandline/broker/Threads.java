package io.strandline.broker;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.ThreadUtils;

/**
 * All threads of the data plane but the sockets'. Cold reads, uploads and the hot log have pools of
 * their own, so that none can starve another (design D10).
 */
final class Threads implements AutoCloseable {
  private static final int ADMIN_MAX = 64;
  private static final int LOGINS = 2; // at one listener
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  private final Deque<ExecutorService> pools = new ArrayDeque<>();

  /** Appends that are not inline, rolls, flushes, recovery, retention. */
  final ExecutorService writes = pool("log", Math.max(4, CORES));

  /** Look-ups and reads that may wait for the local disk. */
  final ExecutorService reads = pool("read", Math.max(4, CORES));

  /** Reads certificates again that may have been renewed. */
  final ExecutorService certificates = pool("certificates", 1);

  /** What clients tell of themselves goes to its receivers here. */
  final ExecutorService telemetry = pool("telemetry", 1);

  /** Changes of the metadata, one after another. */
  final ExecutorService changes = pool("changes", 1);

  /** Compaction of local logs. */
  final ExecutorService cleaner = pool("cleaner", 1);

  /** Moves of logs between directories, as many at a time as is configured. */
  final ExecutorService moves = unbounded("replica-move");

  /** Compaction and merging of tiered segments, as many at a time as is configured. */
  final ExecutorService rewrite = pool("rewrite", CORES);

  /** What the tier does on local files. */
  final ExecutorService tier = pool("tier", 2);

  /** Compression of segments on their way to the tier. */
  final ExecutorService recompress = pool("recompress", Math.max(1, CORES / 2));

  /** A file store's work, and the completion of S3's futures. */
  final ExecutorService store = pool("store", 8);

  /** Checks and copies of history; never blocked. */
  final ExecutorService replay = pool("replay", Math.max(2, CORES));

  /** The disk part of the cache. */
  final ExecutorService cacheDisk = pool("cache", 2);

  /** Encodes and decodes manifests, reads and writes their hints. */
  final ExecutorService manifests = pool("manifest", 1);

  /** Short tasks at a time: deadlines, housekeeping, the tier's turns. */
  final ScheduledExecutorService timer = timer("timer", 2);

  /** One for each broker that is followed, and more if so configured; they wait for the network. */
  final ExecutorService fetchers = unbounded("replica-fetcher");

  /** What the transaction coordinator may do beside its log. */
  final ExecutorService transactions = pool("transaction-beside", 1);

  /**
   * Those of the admin endpoint, which a node has before all others. Each request has one from its
   * first byte on, so there are many, made as they are needed.
   */
  static ExecutorService admin() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            ADMIN_MAX,
            ADMIN_MAX,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            ThreadUtils.createThreadFactory("admin-%d", true));
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /**
   * Steps of log-ins at one listener, which may call handlers of the user's: who waits at one keeps
   * nobody from another, the brokers' least of all. A connection has one step here at a time.
   */
  synchronized ExecutorService logins(String listener) {
    return pool("login-" + listener, LOGINS);
  }

  /** One thread on which a coordinator reads its state back: none waits for that of another. */
  synchronized ScheduledExecutorService loading(String coordinator) {
    return timer("load-" + coordinator, 1);
  }

  private ExecutorService pool(String name, int threads) {
    ExecutorService pool =
        Executors.newFixedThreadPool(threads, ThreadUtils.createThreadFactory(name + "-%d", true));
    pools.push(pool);
    return pool;
  }

  private ExecutorService unbounded(String name) {
    ExecutorService pool =
        Executors.newCachedThreadPool(ThreadUtils.createThreadFactory(name + "-%d", true));
    pools.push(pool);
    return pool;
  }

  private ScheduledExecutorService timer(String name, int threads) {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(
            threads, ThreadUtils.createThreadFactory(name + "-%d", true));
    timer.setRemoveOnCancelPolicy(true);
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    pools.push(timer);
    return timer;
  }

  /** Ends all pools; work that was begun may finish for a few seconds. */
  @Override
  public void close() {
    pools.forEach(ExecutorService::shutdown);
    try {
      for (ExecutorService pool : pools) {
        if (!pool.awaitTermination(5, TimeUnit.SECONDS)) {
          pool.shutdownNow();
        }
      }
    } catch (InterruptedException e) {
      pools.forEach(ExecutorService::shutdownNow);
      Thread.currentThread().interrupt();
    }
  }
}
