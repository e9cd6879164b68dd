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
import org.jspecify.annotations.Nullable;

/**
 * How far a job has come, in a file that is replaced whole: {@code
 * {"topic":…,"topicId":…,"output":…,"partitions": {"0":{"next":…,"bytes":…}}}}. A file that is
 * there serves the job it is of and no other: its offsets count in one topic, which a later one of
 * the same name is not, and tell what is safe in one output.
 */
public final class Checkpoint {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String topic;
  private final Map<Integer, RecordOutput.Mark> marks;
  private final @Nullable Job written;
  private @Nullable Job job;

  private Checkpoint(
      Path file, String topic, @Nullable Job written, Map<Integer, RecordOutput.Mark> marks) {
    this.file = file;
    this.topic = topic;
    this.written = written;
    this.marks = new TreeMap<>(marks);
  }

  /**
   * Whose a checkpoint is.
   *
   * @param topicId of the topic that is read
   * @param output its kind and place, in words that are the same each time
   */
  public record Job(String topicId, String output) {}

  /**
   * Reads the file, or begins a new one.
   *
   * @param topic as the job names it
   * @throws IllegalArgumentException if the file is another topic's, or none of ours
   */
  public static Checkpoint open(Path file, String topic) throws IOException {
    Map<Integer, RecordOutput.Mark> marks = new TreeMap<>();
    Job written = null;
    if (Files.exists(file)) {
      JsonNode root = JSON.readTree(Files.readAllBytes(file));
      if (root == null || !root.path("topic").asText().equals(topic)) {
        throw new IllegalArgumentException(file + " is no checkpoint of a replay of " + topic);
      }
      written = new Job(root.path("topicId").asText(), root.path("output").asText());
      for (Map.Entry<String, JsonNode> e : root.path("partitions").properties()) {
        marks.put(
            Integer.valueOf(e.getKey()),
            new RecordOutput.Mark(
                e.getValue().path("next").asLong(), e.getValue().path("bytes").asLong()));
      }
    }
    return new Checkpoint(file, topic, written, marks);
  }

  /**
   * Makes it this job's, before anything of the job is written.
   *
   * @throws IllegalArgumentException if it is another's, or does not say whose
   */
  public synchronized void claim(Job by) {
    if (written != null && !written.equals(by)) {
      boolean silent = written.topicId().isEmpty() || written.output().isEmpty();
      throw new IllegalArgumentException(
          silent
              ? file
                  + " does not say whose it is, as those of earlier versions; if it is this job's,"
                  + " add to it: "
                  + JSON.createObjectNode().put("topicId", by.topicId()).put("output", by.output())
              : file + " is another job's: of " + written + ", and this is " + by);
    }
    job = by;
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
    if (job == null) {
      throw new IllegalStateException("not claimed: " + file);
    }
    marks.putAll(safe);
    ObjectNode root =
        JSON.createObjectNode()
            .put("topic", topic)
            .put("topicId", job.topicId())
            .put("output", job.output());
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
