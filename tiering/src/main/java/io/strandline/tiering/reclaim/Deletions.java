package io.strandline.tiering.reclaim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose tier this broker has to delete, one small file each, so that a restart, or an
 * object store that is down for days, forgets none: the metadata of a deleted topic is gone and
 * nobody else would ask again. Threads: any; blocks on disk.
 */
public final class Deletions {
  private static final Logger LOG = LoggerFactory.getLogger(Deletions.class);
  private static final Pattern LINE =
      Pattern.compile("delete ([A-Za-z0-9_-]{22}) ([0-9]{1,9}) ([0-9]{1,9}) ([A-Za-z0-9._-]+)\n");

  /**
   * @param leaderEpoch last known of the partition
   */
  public record Deletion(TopicIdPartition partition, int leaderEpoch) {}

  private final Path directory;
  private final Map<TopicIdPartition, Deletion> open = new ConcurrentHashMap<>();

  private Deletions(Path directory) {
    this.directory = directory;
  }

  /** Reads what earlier processes left to do; the directory is created if need be. */
  public static Deletions open(Path directory) throws IOException {
    Files.createDirectories(directory);
    Deletions deletions = new Deletions(directory);
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".delete")).toList()) {
        Optional<Deletion> deletion =
            parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8));
        if (deletion.isEmpty()) {
          LOG.atWarn().addKeyValue("path", file).log("a damaged deletion is left alone");
        }
        deletion.ifPresent(d -> deletions.open.put(d.partition(), d));
      }
    }
    return deletions;
  }

  /** Durable when it returns. */
  public void begin(Deletion deletion) throws IOException {
    TopicIdPartition p = deletion.partition();
    String line =
        String.join(
                " ",
                "delete",
                p.topicId().toString(),
                Integer.toString(p.partition()),
                Integer.toString(deletion.leaderEpoch()),
                p.topic())
            + "\n";
    Path file = file(p);
    Path fresh = directory.resolve(file.getFileName() + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel d = FileChannel.open(directory, StandardOpenOption.READ)) {
      d.force(true);
    }
    open.put(p, deletion);
  }

  /** Nothing of it is left. */
  public void end(TopicIdPartition partition) throws IOException {
    Files.deleteIfExists(file(partition));
    open.remove(partition);
  }

  /** All that are not done. */
  public List<Deletion> open() {
    return List.copyOf(open.values());
  }

  private Path file(TopicIdPartition partition) {
    return directory.resolve(partition.topicId() + "-" + partition.partition() + ".delete");
  }

  private static Optional<Deletion> parse(String text) {
    Matcher m = LINE.matcher(text);
    if (!m.matches()) {
      return Optional.empty();
    }
    try {
      Uuid topicId = Uuid.fromString(m.group(1));
      TopicIdPartition partition =
          new TopicIdPartition(topicId, Integer.parseInt(m.group(2)), m.group(4));
      return Optional.of(new Deletion(partition, Integer.parseInt(m.group(3))));
    } catch (IllegalArgumentException notAnId) {
      return Optional.empty();
    }
  }
}
