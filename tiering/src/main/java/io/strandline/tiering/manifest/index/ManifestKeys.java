package io.strandline.tiering.manifest.index;

import io.strandline.tiering.store.ObjectKey;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Crc32C;

/**
 * Where a partition's manifest lies below the store's prefix: {@code <hash>/<topic
 * id>/<partition>/manifest/}. The short hash spreads partitions over the store's own partitions of
 * its key space, whose request limits are per prefix (design D15).
 */
public final class ManifestKeys {
  private static final HexFormat HEX = HexFormat.of();
  private static final String FOLDER = "manifest/";
  private static final Pattern PLACE =
      Pattern.compile("[0-9a-f]{4}/([A-Za-z0-9_-]{22})/(0|[1-9][0-9]{0,9})/");
  private static final String VERSION = "v-";
  private static final String PAGE = "p-";
  private static final String HEAD = "head";

  private ManifestKeys() {}

  /** Everything of the manifest, and nothing else, lies below it; ends in a slash. */
  public static String prefix(TopicIdPartition partition) {
    Uuid id = partition.topicId();
    byte[] bytes =
        ByteBuffer.allocate(20)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .putInt(partition.partition())
            .array();
    long hash = Crc32C.compute(bytes, 0, bytes.length) & 0xffff;
    return HEX.toHexDigits(hash, 4) + "/" + id + "/" + partition.partition() + "/" + FOLDER;
  }

  /** The partition below whose place an object lies, if it does; its topic is unnamed. */
  public static Optional<TopicIdPartition> partition(ObjectKey key) {
    Matcher parts = PLACE.matcher(key.value());
    if (!parts.lookingAt()) {
      return Optional.empty();
    }
    try {
      TopicIdPartition partition =
          new TopicIdPartition(
              Uuid.fromString(parts.group(1)), Integer.parseInt(parts.group(2)), "");
      return prefix(partition).startsWith(parts.group())
          ? Optional.of(partition)
          : Optional.empty();
    } catch (IllegalArgumentException notANumber) {
      return Optional.empty();
    }
  }

  /** Above all keys of a partition, and below those of others that follow. */
  public static String after(TopicIdPartition partition) {
    String prefix = prefix(partition);
    return prefix.substring(0, prefix.length() - FOLDER.length()) + "~";
  }

  /** All versions; the newest is first in the order of keys. */
  public static String versionPrefix(TopicIdPartition partition) {
    return prefix(partition) + VERSION;
  }

  /** The larger the number, the earlier the key. */
  public static ObjectKey version(TopicIdPartition partition, long number) {
    return ObjectKey.of(versionPrefix(partition) + HEX.toHexDigits(Long.MAX_VALUE - number));
  }

  /** The number a version's key carries, if it is one. */
  public static OptionalLong number(TopicIdPartition partition, ObjectKey key) {
    String prefix = versionPrefix(partition);
    if (!key.value().startsWith(prefix) || key.value().length() != prefix.length() + 16) {
      return OptionalLong.empty();
    }
    try {
      long number = Long.MAX_VALUE - Long.parseLong(key.value().substring(prefix.length()), 16);
      return number > 0 ? OptionalLong.of(number) : OptionalLong.empty();
    } catch (NumberFormatException notOurs) {
      return OptionalLong.empty();
    }
  }

  /** The one head, where versions are swapped rather than chained. */
  public static ObjectKey head(TopicIdPartition partition) {
    return ObjectKey.of(prefix(partition) + HEAD);
  }

  /** All index pages. */
  public static String pagePrefix(TopicIdPartition partition) {
    return prefix(partition) + PAGE;
  }

  public static ObjectKey page(TopicIdPartition partition, PageRef page) {
    return ObjectKey.of(pagePrefix(partition) + page.writer() + "-" + page.sequence());
  }
}
