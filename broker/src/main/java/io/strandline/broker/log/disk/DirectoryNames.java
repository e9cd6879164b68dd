package io.strandline.broker.log.disk;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands in a log directory by Kafka's names: {@code topic-partition} with {@code
 * partition.metadata}, {@code …-delete}, {@code meta.properties}, {@code .kafka_cleanshutdown}. The
 * metadata log and what is foreign is left alone.
 */
public final class DirectoryNames {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryNames.class);
  private static final Pattern LOG_NAME = Pattern.compile("([a-zA-Z0-9._-]+)-([0-9]+)");
  private static final Pattern BROKER_EPOCH = Pattern.compile("\"brokerEpoch\"\\s*:\\s*(-?[0-9]+)");
  private static final Pattern FUTURE_NAME =
      Pattern.compile("([a-zA-Z0-9._-]+)-([0-9]+)\\.[0-9a-f]{32}-future");
  private static final String DELETE_SUFFIX = "-delete";
  private static final String STRAY_SUFFIX = "-stray";
  private static final String FUTURE_SUFFIX = "-future";
  private static final String METADATA_TOPIC = "__cluster_metadata";
  private static final String PARTITION_METADATA = "partition.metadata";
  private static final String CLEAN_SHUTDOWN = ".kafka_cleanshutdown";
  private static final int NAME_MAX = 255;

  private final Disk disk;
  private final RandomGenerator random;
  private final Path path;
  private final Checkpoints files;

  /**
   * @param random for names that nothing else has
   */
  public DirectoryNames(Disk disk, RandomGenerator random, Path path, Checkpoints files) {
    this.disk = disk;
    this.random = random;
    this.path = path;
    this.files = files;
  }

  public Optional<Uuid> directoryId() throws IOException {
    Path file = path.resolve("meta.properties");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    return id(file, "directory.id");
  }

  /** A Kafka id in a file of properties, if it has the key. */
  private static Optional<Uuid> id(Path file, String key) throws IOException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
      return Optional.ofNullable(properties.getProperty(key)).map(Uuid::fromString);
    } catch (IllegalArgumentException malformed) {
      throw new IOException("malformed " + file, malformed);
    }
  }

  /** Logs by the topic ids in their directories. */
  public Map<TopicIdPartition, Path> logs() throws IOException {
    Map<TopicIdPartition, Path> logs = new LinkedHashMap<>();
    named(LOG_NAME).forEach((partition, paths) -> logs.put(partition, paths.get(0)));
    return logs;
  }

  /** Logs on their way here from another directory of this broker (KIP-113). */
  public Map<TopicIdPartition, List<Path>> futures() throws IOException {
    return named(FUTURE_NAME);
  }

  private Map<TopicIdPartition, List<Path>> named(Pattern pattern) throws IOException {
    Map<TopicIdPartition, List<Path>> logs = new LinkedHashMap<>();
    for (Path directory : disk.list(path)) {
      Matcher name = pattern.matcher(directory.getFileName().toString());
      if (!name.matches()
          || !Files.isDirectory(directory)
          || METADATA_TOPIC.equals(name.group(1))) {
        continue;
      }
      Optional<Uuid> topicId = topicId(directory);
      Optional<Integer> number = number(name.group(2));
      if (topicId.isPresent() && number.isPresent()) {
        TopicPartition partition = new TopicPartition(name.group(1), number.get());
        logs.computeIfAbsent(
                new TopicIdPartition(topicId.get(), partition), any -> new ArrayList<>())
            .add(directory);
      } else {
        LOG.atWarn().addKeyValue("path", directory).log("no partition.metadata, left alone");
      }
    }
    return logs;
  }

  private static Optional<Integer> number(String digits) {
    try {
      return Optional.of(Integer.parseInt(digits));
    } catch (NumberFormatException tooLarge) {
      return Optional.empty();
    }
  }

  public List<Path> deleted() throws IOException {
    List<Path> deleted = new ArrayList<>();
    for (Path directory : disk.list(path)) {
      if (directory.getFileName().toString().endsWith(DELETE_SUFFIX)
          && Files.isDirectory(directory)) {
        deleted.add(directory);
      }
    }
    return deleted;
  }

  private static Optional<Uuid> topicId(Path directory) throws IOException {
    Path file = directory.resolve(PARTITION_METADATA);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    return id(file, "topic_id");
  }

  /** A log's directory with its {@code partition.metadata}, durable. */
  public Path make(TopicIdPartition partition) throws IOException {
    Path directory = free(partition);
    make(directory, partition);
    return directory;
  }

  /**
   * @throws KafkaStorageException when a log of that name stands here
   */
  public void requireFree(TopicIdPartition partition) throws IOException {
    var unused = free(partition);
  }

  private Path free(TopicIdPartition partition) throws IOException {
    Path directory = path.resolve(partition.topic() + "-" + partition.partition());
    if (topicId(directory).isPresent()) {
      throw new KafkaStorageException("directory " + directory + " exists already");
    }
    return directory;
  }

  private void make(Path directory, TopicIdPartition partition) throws IOException {
    disk.createDirectory(directory);
    files.replace(
        directory.resolve(PARTITION_METADATA),
        "version: 0\ntopic_id: " + partition.topicId() + "\n");
    disk.forceDirectory(path);
  }

  /** A directory for a log to be, under a name that the next start deletes. */
  public Path makeNursery(TopicIdPartition partition) throws IOException {
    Path directory = nameForDeletion(partition);
    while (disk.exists(directory)) {
      directory = nameForDeletion(partition); // left by another process, about to be deleted
    }
    make(directory, partition);
    return directory;
  }

  /**
   * A directory for a log on its way here, under a name that a next start finds by {@link
   * #futures}.
   */
  public Path makeFuture(TopicIdPartition partition) throws IOException {
    Path directory = path.resolve(futureName(partition, unique()));
    while (disk.exists(directory)) {
      directory = path.resolve(futureName(partition, unique()));
    }
    make(directory, partition);
    return directory;
  }

  /** Whether the name of a partition leaves room for that of its log on its way. */
  public static boolean movable(TopicPartition partition) {
    return (partition + "." + "0".repeat(32) + FUTURE_SUFFIX).length() <= NAME_MAX;
  }

  private static String futureName(TopicIdPartition partition, String unique) {
    return partition.topicPartition() + "." + unique + FUTURE_SUFFIX;
  }

  private String unique() {
    return String.format(Locale.ROOT, "%016x%016x", random.nextLong(), random.nextLong());
  }

  /** What was made in a nursery is the partition's log from now on, durably. */
  public Path adopt(Path nursery, TopicIdPartition partition) throws IOException {
    Path directory = free(partition);
    if (disk.exists(directory)) {
      clear(directory, partition);
    }
    disk.rename(nursery, directory);
    disk.forceDirectory(path);
    return directory;
  }

  /** What opens a log's files. */
  public interface Opening<T> {
    T open(Path directory) throws IOException;
  }

  /** As above, and opened there; what cannot be read as a log is a nursery again. */
  public <T> T adopt(Path nursery, TopicIdPartition partition, Opening<T> opening)
      throws IOException {
    Path directory = adopt(nursery, partition);
    try {
      return opening.open(directory);
    } catch (RuntimeException refused) {
      var unused = rename(directory, nursery);
      throw refused;
    }
  }

  /** A process died while it made this directory: there is no log in it, and nothing else. */
  private void clear(Path directory, TopicIdPartition partition) throws IOException {
    for (Path file : disk.list(directory)) {
      if (!file.getFileName().toString().startsWith(PARTITION_METADATA)) {
        throw new KafkaStorageException(
            "directory " + directory + " is in the way: it is no log of ours, and is left alone");
      }
    }
    renameForDeletion(directory, partition);
  }

  public Path renameForDeletion(Path directory, TopicIdPartition partition) throws IOException {
    return rename(directory, nameForDeletion(partition));
  }

  /** Under a name that nothing here looks for. */
  public Path setAside(Path directory, TopicIdPartition partition) throws IOException {
    return rename(directory, named(partition, STRAY_SUFFIX));
  }

  private Path rename(Path directory, Path gone) throws IOException {
    disk.rename(directory, gone);
    disk.forceDirectory(path);
    return gone;
  }

  private Path nameForDeletion(TopicIdPartition partition) {
    return named(partition, DELETE_SUFFIX);
  }

  private Path named(TopicIdPartition partition, String suffix) {
    String unique = partition.partition() + "." + unique() + suffix;
    String topic = partition.topic();
    String prefix = topic.substring(0, Math.min(topic.length(), NAME_MAX - unique.length() - 1));
    return path.resolve(prefix + "-" + unique);
  }

  /** Deletes a log's directory; there is nothing below it but files. */
  public void delete(Path directory) throws IOException {
    if (!disk.exists(directory)) {
      return;
    }
    for (Path file : disk.list(directory)) {
      disk.delete(file);
    }
    disk.delete(directory);
  }

  public boolean cleanShutdown() {
    return Files.exists(path.resolve(CLEAN_SHUTDOWN));
  }

  public OptionalLong cleanBrokerEpoch() throws IOException {
    String text = Files.readString(path.resolve(CLEAN_SHUTDOWN), StandardCharsets.UTF_8);
    Matcher epoch = BROKER_EPOCH.matcher(text);
    try {
      return epoch.find() ? OptionalLong.of(Long.parseLong(epoch.group(1))) : OptionalLong.empty();
    } catch (NumberFormatException tooLarge) {
      return OptionalLong.empty();
    }
  }

  public void forgetCleanShutdown() throws IOException {
    if (disk.delete(path.resolve(CLEAN_SHUTDOWN))) {
      disk.forceDirectory(path);
    }
  }

  public void rememberCleanShutdown(long brokerEpoch) throws IOException {
    files.replace(
        path.resolve(CLEAN_SHUTDOWN), "{\"version\":0,\"brokerEpoch\":" + brokerEpoch + "}");
  }
}
