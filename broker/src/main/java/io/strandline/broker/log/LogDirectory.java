package io.strandline.broker.log;

import io.strandline.broker.log.LogRecovery.Start;
import io.strandline.broker.log.check.LogMeters;
import io.strandline.broker.log.disk.Checkpoints;
import io.strandline.broker.log.disk.DirectoryHealth;
import io.strandline.broker.log.disk.DirectoryNames;
import io.strandline.broker.log.nursery.LogNursery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.server.util.FileLock;
import org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One of {@code log.dirs}: its lock, its checkpoints, the logs in it, and whether its disk still
 * works.
 *
 * <p>Once offline it stays so until the process ends: every later call on a log of it throws {@link
 * KafkaStorageException}. Threads: any.
 */
public final class LogDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LogDirectory.class);
  private static final long CHECKPOINT_INTERVAL_MS = 10_000;
  private static final long HURRIED_DELETE_MS = 5_000;

  private final Path path;
  private final LogRuntime runtime;
  private final DirectoryHealth health;
  private final LogMeters meters;
  private final DirectoryNames names;
  private final EpochFiles epochFiles;
  private final FileLock lock;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final AtomicLong goingBytes = new AtomicLong();
  private volatile boolean hurry;
  private final boolean clean;
  private final OptionalLong previousBrokerEpoch;
  private final Set<Path> moving = ConcurrentHashMap.newKeySet();
  private final Map<TopicPartition, PartitionLog> logs = new ConcurrentHashMap<>();
  private final Map<TopicIdPartition, KafkaStorageException> unreadable = new ConcurrentHashMap<>();
  private final DirectoryOffsets offsets;
  private final Map<TopicPartition, Long> highWatermarks;
  private long lastCheckpointMs;
  private long lastExpiryMs;

  private LogDirectory(Path path, LogRuntime runtime, FileLock lock) throws IOException {
    this.path = path;
    this.runtime = runtime.ofDirectory();
    this.lock = lock;
    this.health = new DirectoryHealth(path);
    health.onFailure(this.runtime.open()::offline);
    this.meters = new LogMeters(runtime.meters());
    Checkpoints checkpoints = new Checkpoints(runtime.disk(), path);
    this.names = new DirectoryNames(runtime.disk(), runtime.random(), path, checkpoints);
    this.epochFiles = new EpochFiles(runtime, health);
    this.offsets = new DirectoryOffsets(checkpoints, logs.values());
    this.highWatermarks = Map.copyOf(checkpoints.read(Checkpoints.HIGH_WATERMARK));
    this.clean = names.cleanShutdown();
    this.previousBrokerEpoch = clean ? names.cleanBrokerEpoch() : OptionalLong.empty();
  }

  /**
   * Takes Kafka's {@code .lock}, reads {@code meta.properties} and whether the last stop was clean.
   *
   * @throws KafkaStorageException when locked by another process or not readable
   */
  public static LogDirectory open(Path path, LogRuntime runtime) {
    try {
      runtime.disk().createDirectory(path);
      FileLock lock = new FileLock(path.resolve(".lock").toFile());
      if (!lock.tryLock()) {
        lock.unlockAndClose();
        throw new KafkaStorageException(
            "log directory " + path + " is in use by another process (its .lock is held)");
      }
      return new LogDirectory(path, runtime, lock);
    } catch (IOException e) {
      throw new KafkaStorageException("cannot open log directory " + path, e);
    }
  }

  LogRuntime runtime() {
    return runtime;
  }

  DirectoryHealth health() {
    return health;
  }

  LogMeters meters() {
    return meters;
  }

  DirectoryOffsets offsets() {
    return offsets;
  }

  LeaderEpochFileCache openEpochs(TopicPartition partition, Path logPath) throws IOException {
    return epochFiles.open(partition, logPath);
  }

  public Path path() {
    return path;
  }

  /** Written by all logs of this process, in bytes, since it began. */
  public long writtenBytes() {
    return runtime.hot().writtenBytes();
  }

  /** Room is short: files that go are deleted soon. */
  public void hurryDeletes(boolean now) {
    hurry = now;
  }

  /** Of segments that are no part of a log any more and are not deleted yet. */
  public long goingBytes() {
    return goingBytes.get();
  }

  /** Readers that found a segment before it went still open its files. */
  long deleteDelayMs(long configuredMs) {
    return hurry ? Math.min(configuredMs, HURRIED_DELETE_MS) : configuredMs;
  }

  void going(long bytes) {
    goingBytes.addAndGet(bytes);
  }

  /** {@code directory.id} of {@code meta.properties}; absent before the storage was formatted. */
  public Optional<Uuid> directoryId() {
    return health.call("read meta.properties", names::directoryId);
  }

  /** Whether the last process closed every log here in order, so that none needs recovery. */
  public boolean stoppedCleanly() {
    return clean;
  }

  /** Of the last process, present only if it stopped cleanly (KIP-966). */
  public OptionalLong previousBrokerEpoch() {
    return previousBrokerEpoch;
  }

  public boolean online() {
    return health.online();
  }

  /** Calls back once, on the thread that met the failure; at once when offline already. */
  public void onFailure(Consumer<LogDirectory> listener) {
    health.onFailure(() -> listener.accept(this));
  }

  /**
   * Opens every log of the directory, recovering those that need it; called once, at start. A log
   * that is damaged where it was durable is left out and named by {@link #unreadable()}.
   *
   * @param configOfTopic by topic name
   */
  public Map<TopicIdPartition, PartitionLog> openAll(Function<String, LogConfig> configOfTopic) {
    return health.call(
        "open logs",
        () -> {
          names.forgetCleanShutdown();
          inParallel(
              names.logs().entrySet(),
              found ->
                  openFound(
                      found.getKey(),
                      found.getValue(),
                      configOfTopic.apply(found.getKey().topic())));
          health.check();
          names.deleted().forEach(gone -> deleteLater(gone, 0));
          Map<TopicIdPartition, PartitionLog> opened = new ConcurrentHashMap<>();
          logs.values().forEach(log -> opened.put(log.partition(), log));
          return opened;
        });
  }

  /** A disk takes what is forced together faster than one after another. */
  private <T> void inParallel(Collection<T> all, Consumer<T> step) {
    var begun =
        all.stream()
            .map(one -> CompletableFuture.runAsync(() -> step.accept(one), runtime.executor()))
            .toList();
    try {
      CompletableFuture.allOf(begun.toArray(CompletableFuture[]::new)).join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof KafkaStorageException known ? known : e;
    }
  }

  private void openFound(TopicIdPartition partition, Path logPath, LogConfig config) {
    TopicPartition name = partition.topicPartition();
    Start start = new Start(clean, offsets.logStart(name), offsets.recoveryPoint(name));
    try {
      logs.put(name, openLog(partition, logPath, config, start));
    } catch (KafkaStorageException e) {
      unreadable.put(partition, e);
      LOG.atError()
          .addKeyValue("partition", partition)
          .addKeyValue("reason", e.getMessage())
          .log("log refused");
    } catch (IOException e) {
      health.failed("open " + partition, e);
    }
  }

  private PartitionLog openLog(
      TopicIdPartition partition, Path logPath, LogConfig config, Start start) throws IOException {
    LogRecovery recovery =
        new LogRecovery(partition.topicPartition(), logPath, config, this, start);
    LogState state = new LogState(partition, this, logPath, config, recovery.open());
    PartitionLog log = new PartitionLog(state);
    log.sealer().afterAppend();
    return log;
  }

  /** Logs that {@link #openAll} refused, and why. Their batches are as they were found. */
  public Map<TopicIdPartition, KafkaStorageException> unreadable() {
    return Map.copyOf(unreadable);
  }

  /**
   * Makes an empty log that begins at 0; {@link PartitionLog#truncateFullyAndStartAt} for another
   * start.
   *
   * @throws KafkaStorageException when the directory is offline or one of that name exists
   */
  public PartitionLog create(TopicIdPartition partition, LogConfig config) {
    health.check();
    if (logs.containsKey(partition.topicPartition()) || unreadable.containsKey(partition)) {
      throw new KafkaStorageException("log of " + partition + " exists in " + path);
    }
    return health.call(
        "create log of " + partition,
        () -> {
          names.requireFree(partition); // else what is told of another log would be lost
          offsets.begin(partition.topicPartition());
          Path logPath = names.make(partition);
          PartitionLog log = openLog(partition, logPath, config, new Start(false, -1, 0));
          logs.put(partition.topicPartition(), log);
          return log;
        });
  }

  /**
   * Begins the files of a log that is not to begin at 0; {@link #adopt} makes a log of them, {@link
   * #discard} or the next start deletes them.
   */
  public LogNursery nursery(TopicIdPartition partition) {
    health.check();
    return health.call(
        "prepare log of " + partition,
        () -> new LogNursery(partition, runtime.disk(), names.makeNursery(partition)));
  }

  /**
   * Makes what a nursery holds the partition's log, wholly or not at all.
   *
   * @throws KafkaStorageException when the directory is offline, one of that name exists, or the
   *     files cannot be read as a log: then they are the nursery's still
   */
  public PartitionLog adopt(LogNursery nursery, LogConfig config) {
    health.check();
    TopicIdPartition partition = nursery.partition();
    TopicPartition name = partition.topicPartition();
    if (logs.containsKey(name) || unreadable.containsKey(partition)) {
      throw new KafkaStorageException("log of " + partition + " exists in " + path);
    }
    return health.call(
        "adopt log of " + partition,
        () -> {
          names.requireFree(partition);
          nursery.force();
          offsets.begin(name, nursery.startOffset()); // else it would begin with what is local
          Start start = new Start(false, nursery.startOffset(), 0);
          PartitionLog log =
              names.adopt(nursery.path(), partition, at -> openLog(partition, at, config, start));
          logs.put(name, log);
          return log;
        });
  }

  /** Deletes the files of a log that was not to be. */
  public void discard(LogNursery nursery) {
    if (health.online()) {
      health.run("discard " + nursery.path(), () -> names.delete(nursery.path()));
    }
  }

  /** Logs on their way here that an earlier process left behind; {@link #move} takes them up. */
  public Set<TopicIdPartition> futures() {
    return health.call("look for logs on their way", () -> Set.copyOf(names.futures().keySet()));
  }

  /**
   * Begins to move a log of another directory here. What an earlier process copied of it goes: what
   * it has of a segment need not be what that is now.
   *
   * @throws KafkaStorageException when either directory is offline, or one of that name exists
   */
  public LogMove move(PartitionLog log) {
    health.check();
    log.directory().health.check();
    TopicIdPartition partition = log.partition();
    if (logs.containsKey(partition.topicPartition()) || unreadable.containsKey(partition)) {
      throw new KafkaStorageException("log of " + partition + " exists in " + path);
    }
    return health.call(
        "make room for " + partition,
        () -> {
          Path future = names.makeFuture(partition);
          moving.add(future);
          deleteFutures(partition);
          return new LogMove(log, this, new LogNursery(partition, runtime.disk(), future));
        });
  }

  /** What was on its way here is not to come any more. */
  public void discardFuture(TopicIdPartition partition) {
    health.run("discard " + partition, () -> deleteFutures(partition));
  }

  /** But for those that are being made. */
  private void deleteFutures(TopicIdPartition partition) throws IOException {
    for (Path old : names.futures().getOrDefault(partition, List.of())) {
      if (!moving.contains(old)) {
        names.delete(old);
      }
    }
  }

  void discard(LogMove move) {
    discard(move.future());
    moving.remove(move.future().path());
  }

  DirectoryNames names() {
    return names;
  }

  /** A log that was moved here. */
  void joined(PartitionLog log, LogMove move) {
    moving.remove(move.future().path());
    logs.put(log.partition().topicPartition(), log);
  }

  /** A log that lies elsewhere by now; under its locks. A failure here does not undo that. */
  void left(PartitionLog log, LogState state) {
    state.leaving = true; // first: a reader that came before may be about to open a file
    TopicPartition name = log.partition().topicPartition();
    logs.remove(name, log);
    offsets.forget(name);
    try {
      Path gone =
          health.call(
              "leave " + state.path, () -> names.renameForDeletion(state.path, log.partition()));
      state.parting(gone);
      deleteLater(gone, log.config().fileDeleteDelayMs);
    } catch (KafkaStorageException failed) {
      state.parting(state.path); // told by the directory; a later start deletes what is left
    }
  }

  /** Renames the log's directory to {@code …-delete}; the files go after the topic's delay. */
  public void delete(PartitionLog log) {
    health.check();
    health.run(
        "delete log of " + log.partition(),
        () -> {
          logs.remove(log.partition().topicPartition(), log);
          Path gone = log.detach(from -> names.renameForDeletion(from, log.partition()));
          offsets.forget(log.partition().topicPartition());
          deleteLater(gone, log.config().fileDeleteDelayMs);
        });
  }

  /** Renames the log's directory to {@code …-stray}, which nothing here touches again. */
  public void setAside(PartitionLog log) {
    health.run(
        "set log of " + log.partition() + " aside",
        () -> {
          logs.remove(log.partition().topicPartition(), log);
          var unused = log.detach(from -> names.setAside(from, log.partition()));
          offsets.forget(log.partition().topicPartition());
        });
  }

  private void deleteLater(Path gone, long delayMs) {
    var unused =
        runtime
            .scheduler()
            .schedule(
                () ->
                    runtime
                        .executor()
                        .execute(() -> health.run("delete " + gone, () -> names.delete(gone))),
                delayMs,
                TimeUnit.MILLISECONDS);
  }

  /** {@code replication-offset-checkpoint} as found at {@link #open}. */
  public Map<TopicPartition, Long> highWatermarks() {
    return highWatermarks;
  }

  /** Replaces {@code replication-offset-checkpoint}. */
  public void checkpointHighWatermarks(Map<TopicPartition, Long> highWatermarks) {
    health.check();
    health.run("checkpoint high watermarks", () -> offsets.writeHighWatermarks(highWatermarks));
  }

  /**
   * One round of periodic work, to be called about every second: {@code flush.ms}, rolls by age,
   * expired producers, recovery points and log starts to their checkpoints.
   *
   * @return number of logs that had something to do
   */
  public int maintain(long nowMs) {
    if (!health.online()) {
      return 0;
    }
    int worked = 0;
    boolean expire = LogRuntime.passed(lastExpiryMs, nowMs, runtime.settings().producerCheckMs());
    for (PartitionLog log : logs.values()) {
      worked += log.maintain(nowMs, expire) ? 1 : 0;
    }
    lastExpiryMs = expire ? nowMs : lastExpiryMs;
    if (LogRuntime.passed(lastCheckpointMs, nowMs, CHECKPOINT_INTERVAL_MS)) {
      lastCheckpointMs = nowMs;
      health.run("checkpoint", offsets::writeAll);
    }
    return worked;
  }

  /** The clean stop: flushes all, writes checkpoints and {@code .kafka_cleanshutdown}, unlocks. */
  public void close(long brokerEpoch) {
    try {
      health.check();
      inParallel(
          logs.values(),
          log -> {
            log.closeCleanly();
            log.closeFiles(); // at once: writing indexes opens two files more for each
          });
      health.run(
          "stop",
          () -> {
            offsets.writeAll();
            names.rememberCleanShutdown(brokerEpoch);
          });
    } finally {
      close();
    }
  }

  /**
   * Unlocks and closes files without a mark of a clean stop; the next start recovers. Idempotent.
   */
  @Override
  public void close() {
    logs.values().forEach(PartitionLog::closeFiles);
    logs.clear();
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    offsets.close();
    try {
      lock.unlockAndClose();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unlock " + path, e);
    }
  }
}
