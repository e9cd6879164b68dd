package io.strandline.broker.replica;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Optional;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * How far a partition is tiered, as its leader tells its followers (design D8): a tagged field of
 * the partition in a Fetch response, which Apache Kafka's brokers ignore. A follower never asks the
 * object store for it. Replay brokers are told too: they wish it with a tagged field of the
 * request.
 *
 * <p>Layout, 25 bytes: format 0 (int8), manifest version, tiered end offset, local log start offset
 * (int64 each, big-endian).
 *
 * @param version of the manifest
 * @param endOffset all below is committed to the tier
 * @param localStartOffset all below the leader has in the tier alone
 */
public record TierMark(long version, long endOffset, long localStartOffset) {
  /** Kafka's own tags of this structure are counted from 0. */
  public static final int TAG = 10_000;

  private static final byte FORMAT = 0;
  private static final int BYTES = 25;

  public RawTaggedField encode() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    bytes.put(FORMAT).putLong(version).putLong(endOffset).putLong(localStartOffset);
    return new RawTaggedField(TAG, bytes.array());
  }

  /** Put into a Fetch request by one that is no follower and wants to be told all the same. */
  public static RawTaggedField wish() {
    return new RawTaggedField(TAG, new byte[] {FORMAT});
  }

  /** Whether the tagged fields of a Fetch request have that wish. */
  public static boolean wished(Collection<RawTaggedField> fields) {
    return fields.stream()
        .anyMatch(field -> field.tag() == TAG && field.size() == 1 && field.data()[0] == FORMAT);
  }

  /** Empty when there is none, or it is of a format that is not known here. */
  public static Optional<TierMark> in(Collection<RawTaggedField> fields) {
    for (RawTaggedField field : fields) {
      if (field.tag() == TAG && field.size() == BYTES && field.data()[0] == FORMAT) {
        ByteBuffer bytes = ByteBuffer.wrap(field.data());
        bytes.get();
        return Optional.of(new TierMark(bytes.getLong(), bytes.getLong(), bytes.getLong()));
      }
    }
    return Optional.empty();
  }
}
