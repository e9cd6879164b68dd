package io.strandline.tools.tier;

import io.strandline.tiering.manifest.ManifestView;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * A partition in the tier, and perhaps an offset in it, as {@code TOPICID-PARTITION[@OFFSET]}. The
 * topic's name, which the tier's keys do not carry, is left empty.
 */
public record Place(TopicIdPartition partition, OptionalLong offset) {
  private static final Pattern TEXT =
      Pattern.compile("([A-Za-z0-9_-]{22})-([0-9]{1,9})(?:@([0-9]{1,18}))?");

  public static boolean matches(String text) {
    return TEXT.matcher(text).matches();
  }

  /**
   * @throws IllegalArgumentException if the text is no place
   */
  public static Place parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "not a partition of the tier: " + text + ": it is TOPICID-PARTITION[@OFFSET]");
    }
    TopicIdPartition partition =
        new TopicIdPartition(Uuid.fromString(parts.group(1)), Integer.parseInt(parts.group(2)), "");
    String offset = parts.group(3);
    return new Place(
        partition, offset == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(offset)));
  }

  /** As {@link #parse} reads it. */
  public static String of(TopicIdPartition partition) {
    return partition.topicId() + "-" + partition.partition();
  }

  public static String of(ManifestView view) {
    return of(view.partition());
  }
}
