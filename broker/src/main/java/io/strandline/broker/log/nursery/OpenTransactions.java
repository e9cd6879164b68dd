package io.strandline.broker.log.nursery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot;

/**
 * Transactions that stand open in Kafka's producer snapshot at the end of a tier. All were decided
 * before they were uploaded; the markers that ended them are lost.
 */
public final class OpenTransactions {
  private static final int CRC_AT = Short.BYTES;
  private static final int ENTRIES_AT = CRC_AT + Integer.BYTES;

  private OpenTransactions() {}

  /**
   * First offsets of open transactions by producer id.
   *
   * @param snapshot Kafka's file; not changed
   * @throws IOException if it is damaged or of a version not known
   */
  public static Map<Long, Long> in(ByteBuffer snapshot) throws IOException {
    Map<Long, Long> open = new TreeMap<>();
    for (ProducerSnapshot.ProducerEntry producer : read(snapshot.duplicate()).producerEntries()) {
      if (producer.currentTxnFirstOffset() >= 0) {
        open.put(producer.producerId(), producer.currentTxnFirstOffset());
      }
    }
    return open;
  }

  /**
   * The same snapshot without them: they would hold back the last stable offset for ever.
   *
   * @throws IOException as {@link #in}
   */
  static ByteBuffer ended(ByteBuffer snapshot) throws IOException {
    ProducerSnapshot state = read(snapshot.duplicate());
    state.producerEntries().forEach(producer -> producer.setCurrentTxnFirstOffset(-1));
    ByteBuffer bytes =
        MessageUtil.toVersionPrefixedByteBuffer(ProducerSnapshot.HIGHEST_SUPPORTED_VERSION, state);
    ByteUtils.writeUnsignedInt(
        bytes, CRC_AT, Crc32C.compute(bytes, ENTRIES_AT, bytes.limit() - ENTRIES_AT));
    return bytes;
  }

  private static ProducerSnapshot read(ByteBuffer in) throws IOException {
    byte[] all = new byte[in.remaining()];
    in.get(all);
    ByteBuffer bytes = ByteBuffer.wrap(all);
    try {
      short version = bytes.getShort();
      if (version < ProducerSnapshot.LOWEST_SUPPORTED_VERSION
          || version > ProducerSnapshot.HIGHEST_SUPPORTED_VERSION) {
        throw new IOException("a producer snapshot of version " + version);
      }
      ProducerSnapshot state = new ProducerSnapshot(new ByteBufferAccessor(bytes), version);
      if (state.crc() != Crc32C.compute(all, ENTRIES_AT, all.length - ENTRIES_AT)) {
        throw new IOException("a damaged producer snapshot");
      }
      return state;
    } catch (RuntimeException malformed) {
      throw new IOException("a malformed producer snapshot", malformed);
    }
  }
}
