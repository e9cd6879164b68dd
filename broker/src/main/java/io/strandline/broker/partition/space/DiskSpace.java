package io.strandline.broker.partition.space;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.internals.Topic;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the file system under each log directory.
 *
 * <pre>
 * ENOUGH → PRESSED   less free than the high watermark asks for, until the low one is content
 * any    → FULL      less free than the reserve, until twice as much is
 * </pre>
 *
 * <p>Between two looks what was written is taken off what was free, so that a fast writer meets the
 * reserve in time. Threads: any.
 */
public final class DiskSpace {
  private static final Logger LOG = LoggerFactory.getLogger(DiskSpace.class);

  /** Of a file system, in bytes. */
  public record Room(long totalBytes, long usableBytes) {}

  /** Tells how large and how full a file system is. */
  public interface Sizes {
    Room of(Path directory) throws IOException;
  }

  /** How a directory fares. */
  public enum State {
    ENOUGH(0),
    PRESSED(1),
    FULL(2);

    /** As the gauge shows it. */
    private final int code;

    State(int code) {
      this.code = code;
    }
  }

  /**
   * @param reserveBytes with less free, clients wait
   * @param writtenBytes by all logs before the look
   */
  private record Seen(State state, Room room, long reserveBytes, long writtenBytes) {
    boolean refuses(long writtenNow) {
      long free = room.usableBytes - (writtenNow - writtenBytes);
      return state == State.FULL || (reserveBytes > 0 && free < reserveBytes);
    }
  }

  private static final Seen UNSEEN = new Seen(State.ENOUGH, new Room(0, 0), 0, 0);

  private final SpaceConfig config;
  private final Sizes sizes;
  private final MeterRegistry meters;
  private final Counter refused;
  private final Map<LogDirectory, Seen> directories = new ConcurrentHashMap<>();

  public DiskSpace(SpaceConfig config, Sizes sizes, MeterRegistry meters) {
    this.config = config;
    this.sizes = sizes;
    this.meters = meters;
    this.refused = meters.counter("strandline.disk.refused");
  }

  /** As the operating system tells. */
  public static Sizes ofFileSystems() {
    Map<Path, FileStore> stores =
        new ConcurrentHashMap<>(); // finding one reads the table of mounts
    return directory -> {
      FileStore store = stores.get(directory);
      if (store == null) {
        store = Files.getFileStore(directory);
        stores.put(directory, store);
      }
      return new Room(store.getTotalSpace(), store.getUsableSpace());
    };
  }

  /**
   * Looks at a directory.
   *
   * @return bytes that should go from it now
   */
  public long look(LogDirectory directory) {
    long writtenBytes = directory.writtenBytes();
    Room room;
    try {
      room = sizes.of(directory.path());
    } catch (IOException e) {
      LOG.atDebug().addKeyValue("path", directory.path()).setCause(e).log("no size");
      return 0;
    }
    Seen before = directories.computeIfAbsent(directory, this::watched);
    long reserve = config.reserve().freeBytes(room.totalBytes);
    long low =
        Math.max(config.low().freeBytes(room.totalBytes), config.high().freeBytes(room.totalBytes));
    long free = room.usableBytes + directory.goingBytes();
    State state = state(before.state, room, free, low);
    directories.put(directory, new Seen(state, room, reserve, writtenBytes));
    directory.hurryDeletes(state != State.ENOUGH);
    if (state != before.state) {
      tell(directory, state, room);
    }
    return state == State.ENOUGH ? 0 : Math.max(0, low - free);
  }

  private State state(State before, Room room, long free, long low) {
    long reserve = config.reserve().freeBytes(room.totalBytes);
    if (room.usableBytes < (before == State.FULL ? 2 * reserve : reserve)) {
      return State.FULL;
    }
    long high = config.high().freeBytes(room.totalBytes);
    return high > 0 && free < (before == State.ENOUGH ? high : low) ? State.PRESSED : State.ENOUGH;
  }

  private Seen watched(LogDirectory directory) {
    String path = directory.path().toString();
    Gauge.builder("strandline.disk.free", () -> seen(directory).room.usableBytes)
        .baseUnit("bytes")
        .tag("path", path)
        .register(meters);
    Gauge.builder("strandline.disk.state", () -> seen(directory).state.code)
        .tag("path", path)
        .register(meters);
    return UNSEEN;
  }

  private Seen seen(LogDirectory directory) {
    return directories.getOrDefault(directory, UNSEEN);
  }

  private static void tell(LogDirectory directory, State state, Room room) {
    var line = state == State.FULL ? LOG.atError() : LOG.atWarn();
    if (state == State.ENOUGH) {
      line = LOG.atInfo();
    }
    line.addKeyValue("path", directory.path())
        .addKeyValue("state", state)
        .addKeyValue("bytes", room.usableBytes)
        .log(
            switch (state) {
              case ENOUGH -> "the disk has room again";
              case PRESSED -> "the disk fills up: tiered segments go";
              case FULL -> "the disk is full but for the reserve: producers wait";
            });
  }

  /**
   * To be asked before a client's append.
   *
   * @throws KafkaStorageException while the disk is full but for the reserve, which is kept for
   *     internal topics; clients try again
   */
  public void admit(PartitionLog log) {
    Seen seen = directories.get(log.directory());
    if (seen != null
        && seen.refuses(log.directory().writtenBytes())
        && !Topic.isInternal(log.partition().topic())) {
      refused.increment();
      throw new KafkaStorageException("the disk under " + log.directory().path() + " is full");
    }
  }

  /** Whether there is room for more than what producers write. */
  public boolean spare(LogDirectory directory) {
    return seen(directory).state != State.FULL;
  }

  /** Directories whose producers wait; empty when there is none. */
  public String full() {
    return directories.entrySet().stream()
        .filter(entry -> entry.getValue().state == State.FULL)
        .map(entry -> entry.getKey().path().toString())
        .sorted()
        .collect(Collectors.joining(", "));
  }
}
