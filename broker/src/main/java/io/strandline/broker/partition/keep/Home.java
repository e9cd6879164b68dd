package io.strandline.broker.partition.keep;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.partition.Partition;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;

/** The log directories of this broker, by the ids the controller knows them by. */
public final class Home {
  private final Map<Uuid, LogDirectory> byId;
  private final Set<Path> broken;
  private final Supplier<Set<Path>> cordoned;
  private final Map<TopicPartition, LogDirectory> preferred = new ConcurrentHashMap<>();

  /**
   * @param cordoned directories that take new replicas only when all do
   */
  public Home(Collection<LogDirectory> directories, Supplier<Set<Path>> cordoned) {
    this(directories, Set.of(), cordoned);
  }

  /**
   * @param broken directories of this broker that could not be opened
   */
  public Home(
      Collection<LogDirectory> directories, Set<Path> broken, Supplier<Set<Path>> cordoned) {
    this.broken = Set.copyOf(broken);
    this.cordoned = cordoned;
    byId = new HashMap<>();
    directories.forEach(
        directory -> directory.directoryId().ifPresent(id -> byId.put(id, directory)));
  }

  public Collection<LogDirectory> directories() {
    return byId.values();
  }

  /** As it was at the start: a disk that failed can not be asked any more. */
  public Uuid id(LogDirectory directory) {
    return byId.entrySet().stream()
        .filter(entry -> entry.getValue() == directory)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseThrow();
  }

  /** All of them, those that failed too. */
  public Set<Path> paths() {
    Set<Path> all = new TreeSet<>(broken);
    directories().forEach(directory -> all.add(directory.path()));
    return all;
  }

  /** Directories that failed, at the start or since. */
  public List<Path> offline() {
    return Stream.concat(
            broken.stream(),
            directories().stream().filter(directory -> !directory.online()).map(LogDirectory::path))
        .sorted()
        .toList();
  }

  /**
   * The directory of this path, absolute, which works.
   *
   * @throws LogDirNotFoundException there is none
   * @throws KafkaStorageException it failed
   */
  public LogDirectory online(String path) {
    if (paths().stream().noneMatch(known -> known.toAbsolutePath().toString().equals(path))) {
      throw new LogDirNotFoundException("this broker has no log directory " + path);
    }
    return directories().stream()
        .filter(directory -> directory.path().toAbsolutePath().toString().equals(path))
        .filter(LogDirectory::online)
        .findFirst()
        .orElseThrow(() -> new KafkaStorageException("log directory " + path + " is offline"));
  }

  /** A replica that is yet to come is to be made there, whatever the controller says. */
  public void prefer(TopicPartition partition, LogDirectory directory) {
    preferred.put(partition, directory);
  }

  /**
   * Whether the replica's log may lie in a directory that failed: it is not begun anew elsewhere
   * then, since what it holds may come back.
   *
   * @param assigned where the controller has it
   */
  public boolean mayBeOffline(Uuid assigned) {
    return !offline().isEmpty()
        && !DirectoryId.UNASSIGNED.equals(assigned)
        && !byId.containsKey(assigned);
  }

  /** Whether a log of the replica lies here that the start refused: none is begun in its place. */
  public boolean refused(TopicIdPartition replica) {
    return directories().stream()
        .anyMatch(directory -> directory.unreadable().containsKey(replica));
  }

  /** Whether a log directory is left that works. */
  public boolean anyOnline() {
    return byId.values().stream().anyMatch(LogDirectory::online);
  }

  /**
   * Where a new replica goes: the directory that somebody asked for, else the one that the
   * controller assigned, else the one that holds the fewest of those that are not cordoned.
   *
   * @throws KafkaStorageException when that one, or all, are offline
   */
  public LogDirectory choose(PartitionState state, Collection<Partition> hosted) {
    LogDirectory asked = preferred.get(state.id().topicPartition());
    LogDirectory wanted = asked == null ? byId.get(state.directory()) : asked;
    if (wanted != null) {
      if (!wanted.online()) {
        throw new KafkaStorageException("log directory " + wanted.path() + " is offline");
      }
      return wanted;
    }
    Set<Path> avoided = cordoned.get();
    return byId.values().stream()
        .filter(LogDirectory::online)
        .min(
            Comparator.<LogDirectory, Boolean>comparing(
                    directory -> avoided.contains(directory.path()))
                .thenComparingLong(
                    directory ->
                        hosted.stream().filter(p -> p.log().directory() == directory).count())
                .thenComparing(LogDirectory::path))
        .orElseThrow(() -> new KafkaStorageException("no log directory is online"));
  }

  /** It is there now; what was asked for once is forgotten. */
  public void came(TopicPartition partition) {
    preferred.remove(partition);
  }

  /** As it was written last. */
  public Optional<Long> highWatermark(LogDirectory directory, TopicPartition partition) {
    return Optional.ofNullable(directory.highWatermarks().get(partition));
  }

  /**
   * Writes the high watermarks of what lies in each directory that works.
   *
   * @throws KafkaStorageException when a disk failed, after all others were written
   */
  public void checkpoint(Collection<Partition> hosted) {
    each(
        directory -> {
          if (directory.online()) {
            checkpoint(directory, hosted);
          }
        });
  }

  private static void checkpoint(LogDirectory directory, Collection<Partition> hosted) {
    Map<TopicPartition, Long> marks = new HashMap<>();
    for (Partition partition : hosted) {
      if (partition.log().directory() == directory) {
        marks.put(partition.id().topicPartition(), partition.highWatermark());
      }
    }
    directory.checkpointHighWatermarks(marks);
  }

  /**
   * The clean stop of each directory that works; one that fails costs the others nothing.
   *
   * @throws RuntimeException what failed first, after all were closed
   */
  public void close(Collection<Partition> hosted, long brokerEpoch) {
    each(
        directory -> {
          try {
            if (directory.online()) {
              checkpoint(directory, hosted);
            }
          } finally {
            if (directory.online()) {
              directory.close(brokerEpoch);
            } else {
              directory.close();
            }
          }
        });
  }

  /** Does it for each, whatever fails, and throws what failed first. */
  private void each(Consumer<LogDirectory> step) {
    RuntimeException first = null;
    for (LogDirectory directory : List.copyOf(byId.values())) {
      try {
        step.accept(directory);
      } catch (RuntimeException failure) {
        if (first == null) {
          first = failure;
        } else {
          first.addSuppressed(failure);
        }
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
