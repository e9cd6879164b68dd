package io.strandline.tiering.segment;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * The name of one tiered segment. Its key is {@code <hash>/<topic id>/<partition>/<base offset, 20
 * digits>-<unique>.seg}: the hash of topic id and partition, four hex digits, spreads partitions
 * over the store's request limits; within a partition keys sort by offset.
 *
 * @param unique 16 hex digits that no other upload, of any process, uses
 * @param encrypted whether the key ends in {@code .enc} too, so that the store encrypts the object
 */
public record SegmentId(
    Uuid topicId, int partition, long baseOffset, String unique, boolean encrypted) {
  private static final Pattern KEY =
      Pattern.compile(
          "([0-9a-f]{4})/([A-Za-z0-9_-]{22})/(0|[1-9][0-9]{0,9})/([0-9]{20})-([0-9a-f]{16})\\.seg(\\.enc)?");
  private static final Pattern UNIQUE = Pattern.compile("[0-9a-f]{16}");

  public SegmentId {
    if (partition < 0 || baseOffset < 0 || !UNIQUE.matcher(unique).matches()) {
      throw new IllegalArgumentException(
          "not a segment id: " + partition + ", " + baseOffset + ", " + unique);
    }
  }

  /**
   * @param random 64 bits that no other upload uses
   */
  public static SegmentId of(TopicIdPartition partition, long baseOffset, long random) {
    return new SegmentId(
        partition.topicId(),
        partition.partition(),
        baseOffset,
        String.format(Locale.ROOT, "%016x", random),
        false);
  }

  /** The same segment as the store encrypts it, or in clear. */
  public SegmentId encrypted(boolean wanted) {
    return new SegmentId(topicId, partition, baseOffset, unique, wanted);
  }

  /** Whether the segment was written in this partition's name. */
  public boolean isOf(TopicIdPartition of) {
    return partition == of.partition() && topicId.equals(of.topicId());
  }

  public ObjectKey key() {
    return ObjectKey.of(
        prefix(topicId, partition)
            + String.format(Locale.ROOT, "%020d", baseOffset)
            + "-"
            + unique
            + (encrypted ? ".seg" + EncryptedObjectStore.SUFFIX : ".seg"));
  }

  /** What the keys of a partition's segments begin with; its manifest lies there too. */
  public static String prefix(Uuid topicId, int partition) {
    return hash(topicId, partition) + "/" + topicId + "/" + partition + "/";
  }

  /** The id that an object's key spells, if it is the key of a segment. */
  public static Optional<SegmentId> parse(ObjectKey key) {
    Matcher m = KEY.matcher(key.value());
    if (!m.matches()) {
      return Optional.empty();
    }
    try {
      Uuid topicId = Uuid.fromString(m.group(2));
      SegmentId id =
          new SegmentId(
              topicId,
              Integer.parseInt(m.group(3)),
              Long.parseLong(m.group(4)),
              m.group(5),
              m.group(6) != null);
      return id.key().equals(key) ? Optional.of(id) : Optional.empty();
    } catch (IllegalArgumentException notANumber) {
      return Optional.empty();
    }
  }

  private static String hash(Uuid topicId, int partition) {
    CRC32C crc = new CRC32C();
    crc.update(
        ByteBuffer.allocate(20)
            .putLong(topicId.getMostSignificantBits())
            .putLong(topicId.getLeastSignificantBits())
            .putInt(partition)
            .flip());
    return String.format(Locale.ROOT, "%04x", crc.getValue() & 0xffff);
  }
}
