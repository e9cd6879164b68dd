package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import io.strandline.replay.TieredReplay;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.store.OwnedStores;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * A consumer at one broker, from the log's start on, over and over: what lies in the tier comes
 * through the real replay, planner, cache and all. Now and then it asks for an offset by time.
 */
final class SimulatedReader {
  private static final int CHUNK_BYTES = 4096;

  /** More than a tier here ever holds: whom the cache evicts is drawn beyond our chance. */
  private static final long CACHE_BYTES = 128 * CHUNK_BYTES;

  private final SimulatedReplica replica;
  private final SimulatedCluster cluster;
  private final PlantedDamage damage;
  private final Replay replay;
  private long offset;
  private boolean waiting;
  private boolean fromStart;
  private boolean through;

  SimulatedReader(SimulatedReplica replica, SimulatedCluster cluster, PlantedDamage damage) {
    this.damage = damage;
    this.replica = replica;
    this.cluster = cluster;
    this.replay =
        replay(
            OwnedStores.all(replica.store),
            replica.manifests,
            replica.process,
            cluster.time,
            replica::met);
  }

  /** The real replay, over stores without damage. */
  static Replay replay(
      OwnedStores stores, Manifests manifests, SimulatedProcess process, SimulatedTime time) {
    return replay(stores, manifests, process, time, (partition, range) -> {});
  }

  /** The real replay, over stores. */
  static Replay replay(
      OwnedStores stores,
      Manifests manifests,
      SimulatedProcess process,
      SimulatedTime time,
      TieredReplay.DamageListener damages) {
    CompositeMeterRegistry meters = new CompositeMeterRegistry();
    MemoryChunkCache cache =
        new MemoryChunkCache(
            CacheConfig.defaults().withSlabBytes(CHUNK_BYTES).withMemoryBytes(CACHE_BYTES),
            ChunkShelf.NONE,
            process,
            meters);
    return new TieredReplay(
        new FetchConfig(
            CHUNK_BYTES,
            2 * CHUNK_BYTES,
            4 * CHUNK_BYTES,
            1 << 20,
            CHUNK_BYTES,
            2_000,
            1 << 16,
            30_000,
            BatchBounds.defaults()),
        new FetchEnvironment(stores, manifests, cache, process, time::nanos, meters),
        damages);
  }

  /** One read, or the wait for one. */
  void act() {
    PartitionLog log = replica.log;
    if (waiting || !replica.leads() || unaware()) {
      return;
    }
    if (cluster.random.nextInt(8) == 0) {
      lookUp(log);
      return;
    }
    through |= fromStart && offset >= replica.highWatermark();
    if (offset < log.logStartOffset() || offset >= replica.highWatermark()) {
      offset = log.logStartOffset();
      fromStart = true;
    }
    if (offset >= replica.highWatermark()) {
      return;
    }
    if (offset >= log.localLogStartOffset()) {
      try (LogRead read = log.read(offset, CHUNK_BYTES, replica.highWatermark(), true)) {
        arrived("hot", read.toMemory(), read.nextOffset());
      }
    } else {
      history(log);
    }
  }

  /** From now on it counts whether it reads all there is. */
  void beginAnew() {
    fromStart = false;
    through = false;
  }

  /** Whether it came from the log's start to the high watermark. */
  boolean through() {
    return through;
  }

  /** A leader deposed long ago may have what is lost by now. */
  private boolean unaware() {
    return cluster.history.bound(replica.log) < replica.highWatermark();
  }

  private void history(PartitionLog log) {
    waiting = true;
    long from = offset;
    ReplayRequest request =
        new ReplayRequest(
            SimulatedCluster.PARTITION,
            from,
            replica.highWatermark(),
            CHUNK_BYTES,
            true,
            false,
            "reader");
    var unused =
        replay
            .read(request)
            .whenComplete(
                (read, failure) ->
                    cluster.guard(
                        replica,
                        () -> {
                          waiting = false;
                          if (read != null) {
                            arrived("replay", copied(read), read.nextOffset());
                            read.close();
                          } else {
                            failed("replay from " + from, within(from), failure);
                          }
                        }));
  }

  static MemoryRecords copied(ReplayRead read) {
    ByteBuffer all = ByteBuffer.allocate(read.sizeBytes());
    read.slices().forEach(slice -> all.put(slice.duplicate()));
    return MemoryRecords.readableRecords(all.flip());
  }

  private void arrived(String where, MemoryRecords batches, long nextOffset) {
    Map<Long, Written> records = new TreeMap<>();
    History.collect(records, batches);
    cluster.trace.add("read " + where + " " + offset + " to " + nextOffset);
    if (nextOffset <= offset) {
      throw new AssertionError("OffsetsDense: " + where + " goes from " + offset + " nowhere");
    }
    if (where.equals("hot")) {
      cluster.history.compare(where, records, offset, nextOffset);
    } else {
      cluster.history.compareTiered(where, records, offset, nextOffset, cluster.time.millis());
    }
    offset = nextOffset;
  }

  /** A log may remember an older start than the tier's for a while, when its broker died. */
  private boolean within(long from) {
    return from >= Math.max(replica.log.logStartOffset(), cluster.history.startOffset());
  }

  /**
   * Only a store that does not answer excuses, a start that has moved beyond, or damage: then a
   * reader is told which offsets are lost, and goes on after them.
   */
  private void failed(String what, boolean inRange, @Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof ReplayException replayed && damage.explains(replayed)) {
      cluster.trace.add(what + ": " + replayed.getMessage());
      ReplayException.Damage range = replayed.damage();
      offset = range == null ? 0 : range.toOffset();
      return;
    }
    boolean later =
        cause instanceof ReplayException replayed
            && replayed.kind() == ReplayException.Kind.UNAVAILABLE;
    if (!later && inRange) {
      throw new AssertionError("AcknowledgedReadable: " + what + ": " + cause, cause);
    }
    offset = later ? offset : 0;
  }

  /** As ListOffsets does: the hot log first, then what the tier has that is older. */
  private void lookUp(PartitionLog log) {
    long start = log.logStartOffset();
    long bound = replica.highWatermark();
    long seam = log.localLogStartOffset();
    if (bound <= start || cluster.history.committed().isEmpty()) {
      return;
    }
    long pick = start + (long) (cluster.random.nextDouble() * (bound - start));
    Written some = cluster.history.committed().get(pick);
    if (some == null) {
      return;
    }
    long asked = some.timestampMs();
    long hot =
        log.firstReaching(asked, bound).map(hit -> hit.offset()).filter(o -> o < bound).orElse(-1L);
    if (seam <= start) {
      found(asked, hot, start, log.logStartOffset(), bound);
      return;
    }
    waiting = true;
    int cuts = cluster.history.cuts();
    var unused =
        replay
            .firstReaching(SimulatedCluster.PARTITION, start, seam, asked)
            .whenComplete(
                (old, failure) ->
                    cluster.guard(
                        replica,
                        () -> {
                          waiting = false;
                          if (cuts < cluster.history.cuts()) {
                            return; // what was to be found may be lost
                          }
                          if (failure == null) {
                            long at = old.map(Replay.TimestampedOffset::offset).orElse(hot);
                            found(asked, at, start, log.logStartOffset(), bound);
                          } else {
                            failed("look-up of " + asked, within(start), failure);
                          }
                        }));
  }

  /** Invariant 7; the log's start may have moved while it was looked up. */
  private void found(long asked, long at, long startBefore, long startAfter, long bound) {
    long lawful = cluster.history.startOffset();
    cluster.trace.add("time " + asked + " reached at " + at);
    if (at >= startBefore && at < Math.max(startAfter, lawful)) {
      return; // gone meanwhile: a reader is told so when it comes
    }
    // What compaction may have taken may be found, and may be passed over.
    long first = firstReaching(asked, Math.max(startBefore, lawful), bound, true);
    long last = firstReaching(asked, Math.max(startAfter, lawful), bound, false);
    Written there = cluster.history.committed().get(at);
    boolean reaches = at < 0 ? last < 0 : there != null && there.timestampMs() >= asked;
    if (!reaches || (at >= 0 && at < first) || (last >= 0 && at > last)) {
      throw new AssertionError(
          "FirstReaching: "
              + asked
              + " at "
              + at
              + ", is first reached at "
              + first
              + ", at the latest at "
              + last);
    }
  }

  private long firstReaching(long asked, long from, long bound, boolean compacted) {
    return cluster.history.committed().subMap(from, Math.max(from, bound)).entrySet().stream()
        .filter(entry -> entry.getValue().timestampMs() >= asked)
        .filter(
            entry ->
                compacted || !cluster.history.mayBeCompacted(entry.getKey(), cluster.time.millis()))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(-1L);
  }
}
