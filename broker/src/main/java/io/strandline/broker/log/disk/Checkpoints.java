package io.strandline.broker.log.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/**
 * Kafka's checkpoint files of a log directory: a line with version 0, one with the number of
 * entries, then {@code topic partition offset} a line. Replaced as a whole, atomically and durably.
 */
public final class Checkpoints {
  public static final String RECOVERY_POINT = "recovery-point-offset-checkpoint";
  public static final String LOG_START = "log-start-offset-checkpoint";
  public static final String HIGH_WATERMARK = "replication-offset-checkpoint";
  public static final String CLEANER = "cleaner-offset-checkpoint";

  private final Disk disk;
  private final Path directory;

  public Checkpoints(Disk disk, Path directory) {
    this.disk = disk;
    this.directory = directory;
  }

  /** Empty when there is no such file. */
  public Map<TopicPartition, Long> read(String name) throws IOException {
    Path file = directory.resolve(name);
    Map<TopicPartition, Long> entries = new TreeMap<>(ORDER);
    if (!Files.exists(file)) {
      return entries;
    }
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    try {
      if (lines.size() < 2 || Integer.parseInt(lines.get(0).trim()) != 0) {
        throw new IOException("not a checkpoint of version 0: " + file);
      }
      int count = Integer.parseInt(lines.get(1).trim());
      for (int i = 0; i < count; i++) {
        String[] words = lines.get(i + 2).trim().split("\\s+", -1);
        entries.put(
            new TopicPartition(words[0], Integer.parseInt(words[1])), Long.parseLong(words[2]));
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IOException("malformed checkpoint " + file, e);
    }
    return entries;
  }

  /** By topic and number. */
  public static final Comparator<TopicPartition> ORDER =
      Comparator.comparing(TopicPartition::topic).thenComparingInt(TopicPartition::partition);

  /** Replaces a checkpoint. */
  public void write(String name, Map<TopicPartition, Long> entries) throws IOException {
    StringBuilder text = new StringBuilder(64 + entries.size() * 32);
    text.append("0\n").append(entries.size()).append('\n');
    entries.forEach(
        (partition, offset) ->
            text.append(partition.topic())
                .append(' ')
                .append(partition.partition())
                .append(' ')
                .append(offset.longValue())
                .append('\n'));
    replace(directory.resolve(name), text.toString());
  }

  /** Writes a small file durably, whole or not at all. */
  public void replace(Path file, String text) throws IOException {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (Disk.File open = disk.open(temporary, true)) {
      open.truncate(0);
      open.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
      open.force();
    }
    disk.rename(temporary, file);
    Path parent = file.getParent();
    if (parent != null) {
      disk.forceDirectory(parent);
    }
  }
}
