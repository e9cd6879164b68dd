package io.strandline.broker.log;

import io.strandline.broker.log.LogState.Opened;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.log.segment.LogFiles;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.SegmentCopy;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log on its way to another directory of this broker (KIP-113): its files are copied while it is
 * written, and at the end the copy takes its place.
 *
 * <ul>
 *   <li>The copy stands in {@code topic-partition.…-future}. It becomes the log by one rename, and
 *       then holds every byte the log has, durably; only afterwards does the old one go. A crash
 *       leaves the old log, or both, which are equal then.
 *   <li>What holds appends up is the last step alone, which copies no more than {@link #REST_BYTES}
 *       and reads no more than the active segment.
 *   <li>A segment that was cut, compacted or released meanwhile is copied anew, or goes.
 * </ul>
 *
 * <p>Threads: {@link #copy} and what it says belongs to one at a time, {@link #finish} to the
 * partition's owner while nobody copies.
 */
public final class LogMove {
  /** What may be left to copy when the log stands still for it. */
  public static final int REST_BYTES = 4 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(LogMove.class);
  private static final int BUFFER_BYTES = 1 << 20;

  private final PartitionLog log;
  private final LogDirectory from;
  private final LogDirectory to;
  private final LogNursery future;
  private final TreeMap<Long, SegmentCopy> copies = new TreeMap<>();
  private final ProducerFiles producers = new ProducerFiles();
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
  private volatile long sizeBytes;
  private volatile long endOffset;

  LogMove(PartitionLog log, LogDirectory to, LogNursery future) {
    this.log = log;
    this.from = log.directory();
    this.to = to;
    this.future = future;
  }

  public LogDirectory from() {
    return from;
  }

  public LogDirectory to() {
    return to;
  }

  /** Of batches that were copied and are wanted still. */
  public long sizeBytes() {
    return sizeBytes;
  }

  /** Batches below are copied, about: the base of the last segment that was begun. */
  public long endOffset() {
    return endOffset;
  }

  /**
   * Copies what comes next.
   *
   * @param maxBytes about how much
   * @return bytes copied; 0 when nothing can be copied now
   * @throws KafkaStorageException when either directory is offline
   */
  public long copy(long maxBytes) {
    LogState state = log.parts().state();
    tidy(state);
    long copied = 0;
    for (LogSegment segment : List.copyOf(state.segments.values())) {
      while (copied < maxBytes) {
        int more = copyMore(state, segment);
        if (more <= 0) {
          break;
        }
        copied += more;
      }
    }
    if (copied == 0) {
      producers.copy(state);
    }
    long bytes = 0;
    for (SegmentCopy copy : copies.values()) {
      bytes += copy.copiedBytes();
    }
    sizeBytes = bytes;
    endOffset = end(state);
    return copied;
  }

  private long end(LogState state) {
    if (copies.isEmpty()) {
      return state.localStart;
    }
    var last = copies.lastEntry();
    return last.getValue().missingBytes() == 0 ? state.logEnd : last.getKey();
  }

  /** Copies of what is no part of the log any more go. */
  private void tidy(LogState state) {
    List<Long> gone = new ArrayList<>();
    copies.forEach(
        (base, copy) -> {
          LogSegment there = state.segments.get(base);
          if (there == null || !copy.of(there)) {
            gone.add(base);
          }
        });
    if (!gone.isEmpty()) {
      producers.forget();
    }
    for (long base : gone) {
      SegmentCopy copy = copies.remove(base);
      if (copy != null) {
        write(copy::delete);
      }
    }
  }

  /** One step of one segment; -1 if there is nothing to do, or it went under our hands. */
  private int copyMore(LogState state, LogSegment segment) {
    SegmentCopy copy = copies.get(segment.baseOffset());
    if (copy == null) {
      SegmentCopy begun =
          to.health()
              .call(
                  "begin a copy",
                  () -> SegmentCopy.begin(to.runtime().open(), segment, future.path()));
      copies.put(segment.baseOffset(), begun);
      copy = begun;
    }
    boolean sealed = segment.sealed();
    if (copy.missingBytes() > 0) {
      return copyBytes(state, segment, copy) ? buffer.limit() : -1;
    }
    if (sealed && !copy.whole()) {
      return copyIndexes(state, segment, copy) ? 1 : -1;
    }
    return -1;
  }

  private boolean copyBytes(LogState state, LogSegment segment, SegmentCopy copy) {
    boolean read = read(state, segment, () -> copy.read(buffer));
    if (read) {
      write(() -> copy.write(buffer));
    }
    return read;
  }

  private boolean copyIndexes(LogState state, LogSegment segment, SegmentCopy copy) {
    List<Map<String, ByteBuffer>> indexes = new ArrayList<>();
    boolean read = read(state, segment, () -> indexes.add(copy.readIndexes()));
    if (read) {
      write(() -> copy.writeIndexes(indexes.get(0)));
    }
    return read;
  }

  private interface Read {
    Object run() throws IOException;
  }

  /** False if the segment is gone. */
  private boolean read(LogState state, LogSegment segment, Read step) {
    if (!segment.retain()) {
      return false;
    }
    try {
      return from.health().call("copy " + segment, () -> readOrGone(state, segment, step));
    } finally {
      segment.release();
    }
  }

  private static boolean readOrGone(LogState state, LogSegment segment, Read step)
      throws IOException {
    try {
      var unused = step.run();
      return true;
    } catch (NoSuchFileException | ClosedChannelException e) {
      if (state.parted() || !state.holds(segment)) {
        return false;
      }
      throw e;
    } catch (EOFException e) {
      return false; // cut under our hands; the next round copies it anew
    }
  }

  private interface Write {
    void run() throws IOException;
  }

  private void write(Write step) {
    to.health().check();
    to.health().run("copy to " + future.path(), step::run);
  }

  private Disk disk() {
    return to.runtime().disk();
  }

  /** Bytes of batches that are not copied yet. */
  public long restBytes() {
    LogState state = log.parts().state();
    long rest = 0;
    for (LogSegment segment : state.segments.values()) {
      SegmentCopy copy = copies.get(segment.baseOffset());
      rest += copy == null || !copy.of(segment) ? segment.end().sizeBytes() : copy.missingBytes();
    }
    return rest;
  }

  /**
   * The last step: copies the rest, durably, and puts the copy in the log's place. Readers that
   * have a hold of what they read go on; nobody else sees that the log lies elsewhere.
   *
   * @return false if there is too much to do yet: nothing has changed
   * @throws KafkaStorageException when the disk that it should go to failed, and then nothing has
   *     changed either, or the one where it lies
   */
  public boolean finish() {
    LogState state = log.parts().state();
    synchronized (state.sealing) {
      synchronized (state.lock) {
        state.check();
        to.health().check();
        if (restBytes() > REST_BYTES || !sealedIsWhole(state)) {
          return false;
        }
        LogSegment active = state.active();
        while (copyMore(state, active) > 0) {
          // The rest of it.
        }
        if (restBytes() > 0 || !from.health().online()) {
          return false;
        }
        producers.copy(state);
        LogState there = to.health().call("take up " + state.partition, () -> place(state));
        log.moved(LogParts.of(there));
        from.left(log, state);
        to.joined(log, this);
        return true;
      }
    }
  }

  private boolean sealedIsWhole(LogState state) {
    tidy(state);
    for (LogSegment segment : state.segments.headMap(state.active().baseOffset()).values()) {
      SegmentCopy copy = copies.get(segment.baseOffset());
      if (copy == null || !segment.sealed() || !copy.whole()) {
        return false;
      }
    }
    return true;
  }

  /** All becomes durable, then the log's. */
  private LogState place(LogState state) throws IOException {
    TopicPartition name = state.partition.topicPartition();
    SegmentCopy active = copies.get(state.active().baseOffset());
    if (active == null) {
      throw new KafkaStorageException("nothing was copied of " + state.active());
    }
    int interval = state.config.indexInterval;
    LogSegment last = active.activeIn(future.path(), interval);
    future.epochs(log.epochs());
    future.force();
    to.names().requireFree(state.partition);
    to.offsets().begin(name, state.logStart, state.logEnd, from.offsets().cleaned(name));
    Path place = to.names().adopt(future.path(), state.partition);
    List<LogSegment> segments = new ArrayList<>();
    for (SegmentCopy copy : copies.headMap(last.baseOffset()).values()) {
      segments.add(copy.sealedIn(place));
    }
    last.moved(place);
    segments.add(last);
    state.producers.moved(place);
    Opened opened =
        new Opened(
            segments,
            state.producers,
            to.openEpochs(name, place),
            state.logStart,
            state.logEnd,
            true);
    LOG.atInfo()
        .addKeyValue("partition", state.partition)
        .addKeyValue("path", place)
        .addKeyValue("offset", state.logEnd)
        .log("moved");
    return new LogState(state, to, place, opened);
  }

  /** It is not to be moved any more: what was copied goes. */
  public void discard() {
    to.discard(this);
  }

  LogNursery future() {
    return future;
  }

  /**
   * Snapshots of producers, at the bases of segments and perhaps elsewhere. One is written once and
   * stays as it is, unless the log is cut.
   */
  private final class ProducerFiles {
    private final Set<String> carried = new HashSet<>();

    void forget() {
      carried.clear();
    }

    /** Those that are there and were not copied yet, durably but for their names. */
    void copy(LogState state) {
      Map<String, ByteBuffer> read =
          from.health().call("copy producers of " + state.partition, () -> read(state));
      read.forEach((name, bytes) -> write(() -> put(name, bytes)));
    }

    private Map<String, ByteBuffer> read(LogState state) throws IOException {
      Map<String, ByteBuffer> read = new TreeMap<>();
      for (Path file : list(state)) {
        String name = file.getFileName().toString();
        if (LogFiles.is(file, LogFiles.SNAPSHOT) && !carried.contains(name)) {
          try {
            read.put(name, ByteBuffer.wrap(Files.readAllBytes(file)));
          } catch (NoSuchFileException freed) {
            LOG.atDebug().addKeyValue("path", file).log("went meanwhile");
          }
        }
      }
      return read;
    }

    private List<Path> list(LogState state) throws IOException {
      try {
        return from.runtime().disk().list(state.path);
      } catch (NoSuchFileException e) {
        if (state.parted()) {
          return List.of();
        }
        throw e;
      }
    }

    private void put(String name, ByteBuffer bytes) throws IOException {
      try (Disk.File file = disk().open(future.path().resolve(name), true)) {
        file.truncate(0);
        file.write(bytes, 0);
        file.force();
      }
      carried.add(name);
    }
  }

  @Override
  public String toString() {
    return log + " to " + future.path();
  }
}
