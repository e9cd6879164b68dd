package io.strandline.tools.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How far a job has come, in a file that is replaced whole: {@code {"topic":…,"partitions":
 * {"0":{"next":…,"bytes":…}}}}.
 */
public final class Checkpoint {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String topic;
  private final Map<Integer, RecordOutput.Mark> marks;

  private Checkpoint(Path file, String topic, Map<Integer, RecordOutput.Mark> marks) {
    this.file = file;
    this.topic = topic;
    this.marks = new TreeMap<>(marks);
  }

  /**
   * Reads the file, or begins a new one.
   *
   * @param topic as the job names it
   * @throws IllegalArgumentException if the file is another topic's, or none of ours
   */
  public static Checkpoint open(Path file, String topic) throws IOException {
    Map<Integer, RecordOutput.Mark> marks = new TreeMap<>();
    if (Files.exists(file)) {
      JsonNode root = JSON.readTree(Files.readAllBytes(file));
      if (root == null || !root.path("topic").asText().equals(topic)) {
        throw new IllegalArgumentException(file + " is no checkpoint of a replay of " + topic);
      }
      for (Map.Entry<String, JsonNode> e : root.path("partitions").properties()) {
        marks.put(
            Integer.valueOf(e.getKey()),
            new RecordOutput.Mark(
                e.getValue().path("next").asLong(), e.getValue().path("bytes").asLong()));
      }
    }
    return new Checkpoint(file, topic, marks);
  }

  public synchronized Map<Integer, RecordOutput.Mark> marks() {
    return Map.copyOf(marks);
  }

  /** Offsets to resume at. */
  public synchronized Map<Integer, Long> nextOffsets() {
    return marks.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().nextOffset()));
  }

  /** Writes it down, durably; partitions not named stay as they were. */
  public synchronized void save(Map<Integer, RecordOutput.Mark> safe) throws IOException {
    marks.putAll(safe);
    ObjectNode root = JSON.createObjectNode().put("topic", topic);
    ObjectNode partitions = root.putObject("partitions");
    marks.forEach(
        (partition, mark) ->
            partitions
                .putObject(String.valueOf(partition))
                .put("next", mark.nextOffset())
                .put("bytes", mark.bytes()));
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel out =
        FileChannel.open(
            fresh,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = ByteBuffer.wrap(JSON.writeValueAsBytes(root));
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      out.force(true);
    }
    Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
