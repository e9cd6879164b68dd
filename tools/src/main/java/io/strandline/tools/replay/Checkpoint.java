package io.strandline.tools.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.strandline.replay.job.JobProgress.Skipped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How far a job has come and what it left out on the way, in a file that is replaced whole: {@code
 * {"topic":…,"topicId":…,"output":…,"partitions":
 * {"0":{"next":…,"bytes":…,"skipped":[{"from":…,"end":…,"reason":…}]}}}}. A file that is there
 * serves the job it is of and no other: its offsets count in one topic, which a later one of the
 * same name is not, and tell what is safe in one output.
 */
public final class Checkpoint {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final String topic;
  private final Map<Integer, RecordOutput.Mark> marks = new TreeMap<>();
  private final List<Skipped> skipped = new ArrayList<>();
  private final @Nullable Job written;
  private @Nullable Job job;

  private Checkpoint(Path file, String topic, @Nullable Job written) {
    this.file = file;
    this.topic = topic;
    this.written = written;
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
    if (!Files.exists(file)) {
      return new Checkpoint(file, topic, null);
    }
    JsonNode root = JSON.readTree(Files.readAllBytes(file));
    if (root == null || !root.path("topic").asText().equals(topic)) {
      throw new IllegalArgumentException(file + " is no checkpoint of a replay of " + topic);
    }
    Job written = new Job(root.path("topicId").asText(), root.path("output").asText());
    Checkpoint opened = new Checkpoint(file, topic, written);
    for (Map.Entry<String, JsonNode> e : root.path("partitions").properties()) {
      opened.read(Integer.parseInt(e.getKey()), e.getValue());
    }
    return opened;
  }

  private void read(int partition, JsonNode state) {
    marks.put(
        partition,
        new RecordOutput.Mark(state.path("next").asLong(), state.path("bytes").asLong()));
    for (JsonNode range : state.path("skipped")) {
      skipped.add(
          new Skipped(
              partition,
              range.path("from").asLong(),
              range.path("end").asLong(),
              range.path("reason").asText()));
    }
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

  /** What earlier runs left out for good: the job goes on behind it. */
  public List<Skipped> skippedBefore() {
    return List.copyOf(skipped);
  }

  /**
   * Writes it down, durably; partitions not named stay as they were.
   *
   * @param now what this run left out; only what lies below the marks is written down, the rest is
   *     met again
   */
  public synchronized void save(Map<Integer, RecordOutput.Mark> safe, List<Skipped> now)
      throws IOException {
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
        (partition, mark) -> {
          ObjectNode state =
              partitions
                  .putObject(String.valueOf(partition))
                  .put("next", mark.nextOffset())
                  .put("bytes", mark.bytes());
          Stream.concat(skipped.stream(), now.stream())
              .filter(range -> range.partition() == partition)
              .filter(range -> range.fromOffset() < mark.nextOffset())
              .forEach(
                  range ->
                      state
                          .withArray("skipped")
                          .addObject()
                          .put("from", range.fromOffset())
                          .put("end", range.endOffset())
                          .put("reason", range.reason()));
        });
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
