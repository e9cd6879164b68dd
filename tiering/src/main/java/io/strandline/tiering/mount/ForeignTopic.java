package io.strandline.tiering.mount;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.Uuid;

/**
 * That a topic's history is another cluster's, as a configuration of the whole cluster says it: key
 * {@link #KEY_PREFIX} and the topic's name, value {@code <use>:<cluster>:<topic id>}, once the
 * topic is there followed by {@code :<its id>}, so that a later topic of the same name is none.
 *
 * @param cluster whose history it is
 * @param topicId the topic's id there
 * @param heldBy the topic's id here; none while it is being created
 */
public record ForeignTopic(Use use, String cluster, Uuid topicId, Optional<Uuid> heldBy) {
  /** What the configuration keys begin with. */
  public static final String KEY_PREFIX = "strandline.origin.";

  private static final Pattern VALUE =
      Pattern.compile(
          "(restore|copy|mount):([^:]{1,64}):([A-Za-z0-9_-]{22})(?::([A-Za-z0-9_-]{22}))?");

  /** What the history is for. */
  public enum Use {
    /** It goes on here; the objects stay where they are. */
    RESTORE,
    /** It goes on here; the objects are copied. */
    COPY,
    /** It is only shown, and followed as it grows there. */
    MOUNT
  }

  /** The key that says it of a topic. */
  public static String key(String topic) {
    return KEY_PREFIX + topic;
  }

  /**
   * @throws IllegalArgumentException if the text is no value
   */
  public static ForeignTopic parse(String value) {
    Matcher parts = VALUE.matcher(value);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          value + " is not <restore|copy|mount>:<cluster>:<topic id>[:<topic id here>]");
    }
    return new ForeignTopic(
        Use.valueOf(parts.group(1).toUpperCase(Locale.ROOT)),
        parts.group(2),
        Uuid.fromString(parts.group(3)),
        Optional.ofNullable(parts.group(4)).map(Uuid::fromString));
  }

  /** The same, of this topic and no later one of its name. */
  public ForeignTopic heldBy(Uuid id) {
    return new ForeignTopic(use, cluster, topicId, Optional.of(id));
  }

  /** Whether it is said of the topic with this id here. */
  public boolean isOf(Uuid id) {
    return heldBy.isEmpty() || heldBy.get().equals(id);
  }

  /** As {@link #parse} reads it. */
  public String value() {
    return use.name().toLowerCase(Locale.ROOT)
        + ":"
        + cluster
        + ":"
        + topicId
        + heldBy.map(id -> ":" + id).orElse("");
  }
}
