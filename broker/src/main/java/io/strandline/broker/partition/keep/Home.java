package io.strandline.broker.partition.keep;

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
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;

/** The log directories of this broker, by the ids the controller knows them by. */
public final class Home {
  private final Map<Uuid, LogDirectory> byId;
  private final Supplier<Set<Path>> cordoned;

  /**
   * @param cordoned directories that take new replicas only when all do
   */
  public Home(Collection<LogDirectory> directories, Supplier<Set<Path>> cordoned) {
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

  /** Directories that failed since the start. */
  public List<Path> offline() {
    return directories().stream()
        .filter(directory -> !directory.online())
        .map(LogDirectory::path)
        .sorted()
        .toList();
  }

  /** Whether a log directory is left that works. */
  public boolean anyOnline() {
    return byId.values().stream().anyMatch(LogDirectory::online);
  }

  /**
   * Where a new replica goes: the directory that the controller assigned, else the one that holds
   * the fewest of those that are not cordoned.
   *
   * @throws KafkaStorageException when that one, or all, are offline
   */
  public LogDirectory choose(Uuid assigned, Collection<Partition> hosted) {
    LogDirectory wanted = byId.get(assigned);
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

  /** As it was written last. */
  public Optional<Long> highWatermark(LogDirectory directory, TopicPartition partition) {
    return Optional.ofNullable(directory.highWatermarks().get(partition));
  }

  /** Writes the high watermarks of what lies in each directory that works. */
  public void checkpoint(Collection<Partition> hosted) {
    for (LogDirectory directory : List.copyOf(byId.values())) {
      if (!directory.online()) {
        continue;
      }
      Map<TopicPartition, Long> marks = new HashMap<>();
      for (Partition partition : hosted) {
        if (partition.log().directory() == directory) {
          marks.put(partition.id().topicPartition(), partition.highWatermark());
        }
      }
      directory.checkpointHighWatermarks(marks);
    }
  }
}
