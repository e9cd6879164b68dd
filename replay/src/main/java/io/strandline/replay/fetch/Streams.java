package io.strandline.replay.fetch;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All readers' streams over one budget. Threads: any. */
public final class Streams implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Streams.class);

  private static final long LONE_IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** Who has waited for so long has a claim on what others are slow to take. */
  private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(5);

  /** What a chunk is paid for at least, so that the budget bounds requests under way as well. */
  private static final int PAID_BYTES_MIN = 64 << 10;

  private record Idle(ReadStream stream, long nanos) {}

  private record Name(String reader, TopicIdPartition partition) {}

  private final FetchEnvironment environment;
  private final ChunkPlan plan;
  private final ByteBudget budget;
  private final Shares shares;
  private final ByteBudget loneTurn;
  private final int batchBytesMax;
  private final AtomicReference<@Nullable ObjectKey> toldTooLarge = new AtomicReference<>();
  private final SegmentChunks chunks;
  private final long idleNanos;
  private final ConcurrentHashMap<Name, ReadStream> streams = new ConcurrentHashMap<>();
  private final AtomicLong nextNumber = new AtomicLong();

  /** Those that keep chunks: as few as the budget allows, however many streams there are. */
  private final Set<ReadStream> keeping = ConcurrentHashMap.newKeySet();

  public Streams(FetchConfig config, FetchEnvironment environment) {
    this.environment = environment;
    this.plan = new ChunkPlan(config.chunkBytes(), config.getBytesMax());
    this.budget = new ByteBudget(config.budgetBytes(), environment.nanoTicker());
    this.shares = new Shares(config.budgetBytes());
    this.loneTurn = new ByteBudget(1, environment.nanoTicker());
    this.batchBytesMax = config.batchBytesMax();
    this.chunks =
        new SegmentChunks(environment.stores(), environment.cache(), plan, environment.metrics());
    this.idleNanos = TimeUnit.MILLISECONDS.toNanos(config.idleMs());
    meter(environment.metrics());
  }

  private void meter(MeterRegistry registry) {
    Gauge.builder("strandline.replay.budget.used", budget, ByteBudget::usedBytes)
        .baseUnit("bytes")
        .register(registry);
    Gauge.builder("strandline.replay.budget.limit", budget, ByteBudget::capacityBytes)
        .baseUnit("bytes")
        .register(registry);
    Gauge.builder("strandline.replay.budget.waiting", budget, ByteBudget::waiting)
        .register(registry);
    Gauge.builder("strandline.replay.lone.waiting", loneTurn, ByteBudget::waiting)
        .register(registry);
    Gauge.builder("strandline.replay.streams", streams, ConcurrentHashMap::size).register(registry);
  }

  /** The stream of this reader through this partition. */
  public ReadStream of(String reader, TopicIdPartition partition) {
    return streams.computeIfAbsent(new Name(reader, partition), name -> once(reader));
  }

  /** A stream that nobody else meets; {@link #end} it. */
  public ReadStream once(String reader) {
    return new ReadStream(this, nextNumber.getAndIncrement(), reader);
  }

  public void end(ReadStream stream) {
    stream.close();
  }

  /** Forgets the cached bytes of a segment. */
  public void forget(SegmentEntry entry) {
    chunks.forget(entry);
  }

  /**
   * Ends the streams whose reader has not read lately, and takes from others what is overdue.
   *
   * @return how many
   */
  public int dropIdle() {
    long now = nowNanos();
    int ended = 0;
    for (var stream : streams.entrySet()) {
      stream.getValue().dropIdleLone(Math.min(idleNanos, LONE_IDLE_NANOS));
      if (now - stream.getValue().usedNanos() >= idleNanos
          && streams.remove(stream.getKey(), stream.getValue())) {
        stream.getValue().close();
        ended++;
      }
    }
    relieve();
    return ended;
  }

  /** Ends all streams of a reader, and what they wait for. */
  public void left(String reader) {
    shares.left(reader);
    budget.left(reader);
    for (var stream : streams.entrySet()) {
      if (stream.getKey().reader.equals(reader)
          && streams.remove(stream.getKey(), stream.getValue())) {
        stream.getValue().close();
      }
    }
  }

  /** Bytes reserved now: requests in flight and chunks kept for readers. */
  public long reservedBytes() {
    return budget.usedBytes();
  }

  @Override
  public void close() {
    streams.values().forEach(ReadStream::close);
    streams.clear();
  }

  /** Takes from those who have read least lately what they only keep ahead, until nobody waits. */
  void relieve() {
    if (budget.waiting() == 0) {
      return;
    }
    long now = nowNanos();
    // Streams are used while they are sorted: an order needs one look at each.
    List<Idle> coldest = new ArrayList<>();
    keeping.forEach(stream -> coldest.add(new Idle(stream, now - stream.usedNanos())));
    coldest.sort(
        Comparator.comparingLong(Idle::nanos)
            .reversed()
            .thenComparingLong(idle -> idle.stream.number()));
    for (Idle idle : coldest) {
      if (budget.waiting() == 0) {
        return;
      }
      idle.stream.relieve(now);
    }
  }

  /** It keeps chunks from now on; called with the stream's monitor held. */
  void keeps(ReadStream stream) {
    keeping.add(stream);
  }

  /** It keeps no chunk any more; called with the stream's monitor held. */
  void keepsNothing(ReadStream stream) {
    keeping.remove(stream);
  }

  /**
   * What a reader pays for a chunk: what the cache takes for it, or a little more where it is very
   * small.
   */
  int paidBytes(SegmentEntry entry, int chunk) {
    long bytes = entry.dataBytes() - plan.positionOf(chunk);
    long paid = Math.min(plan.chunkBytes(), Math.max(PAID_BYTES_MIN, bytes));
    return environment.cache().memoryBytes((int) paid);
  }

  /** One batch on its own, when it is this reader's turn. */
  LoneBatch lone(String reader, SegmentEntry entry, long positionBytes, int lengthBytes) {
    return new LoneBatch(
        entry,
        positionBytes,
        lengthBytes,
        new LoneBatch.Permit(loneTurn, reader),
        () -> chunks.uncached(entry, positionBytes, lengthBytes));
  }

  int batchBytesMax() {
    return batchBytesMax;
  }

  /** Told once: whoever reads there asks again and again. */
  BatchTooLargeException tooLarge(SegmentEntry entry, int bytes) {
    boolean news = !entry.object().equals(toldTooLarge.getAndSet(entry.object()));
    BatchTooLargeException failure = new BatchTooLargeException(bytes, batchBytesMax, news);
    if (news) {
      LOG.atWarn()
          .addKeyValue("object", entry.object())
          .addKeyValue("bytes", bytes)
          .addKeyValue("reason", failure.getMessage())
          .log("a batch of history is too large to be served");
    }
    return failure;
  }

  ChunkPlan plan() {
    return plan;
  }

  ByteBudget budget() {
    return budget;
  }

  Shares shares() {
    return shares;
  }

  /** Whether somebody has long been waiting for budget. */
  boolean waits() {
    return budget.waitsSince(LONG_NANOS);
  }

  /** Whether somebody has long been waiting to load a batch larger than the budget. */
  boolean waitsForLone() {
    return loneTurn.waitsSince(LONG_NANOS);
  }

  SegmentChunks chunks() {
    return chunks;
  }

  Executor executor() {
    return environment.executor();
  }

  int active() {
    return streams.size();
  }

  long nowNanos() {
    return environment.nanoTicker().getAsLong();
  }
}
