package io.strandline.broker.log.nursery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteUtils;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot.ProducerEntry;

/**
 * Transactions that stand open in Kafka's producer snapshot at the end of a tier. All were decided
 * before they were uploaded; the markers that ended them are lost.
 */
public final class OpenTransactions {
  private static final int CRC_AT = Short.BYTES;
  private static final int ENTRIES_AT = CRC_AT + Integer.BYTES;

  private OpenTransactions() {}

  /**
   * One of them.
   *
   * @param coordinatorEpoch of the last marker of this producer, or -1
   * @param timestampMs of its last batch, or of whatever stands for it
   */
  public record Open(
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      long firstOffset,
      long timestampMs) {}

  /**
   * Open transactions in the order of their first offsets.
   *
   * @param snapshot Kafka's file; not changed
   * @throws IOException if it is damaged or of a version not known
   */
  public static List<Open> in(ByteBuffer snapshot) throws IOException {
    List<Open> open = new ArrayList<>();
    for (ProducerEntry producer : read(snapshot.duplicate()).producerEntries()) {
      if (producer.currentTxnFirstOffset() >= 0) {
        open.add(
            new Open(
                producer.producerId(),
                producer.epoch(),
                producer.coordinatorEpoch(),
                producer.currentTxnFirstOffset(),
                producer.timestamp()));
      }
    }
    open.sort(Comparator.comparingLong(Open::firstOffset));
    return open;
  }

  /** Kafka's snapshot of producers that are known for nothing but their open transactions. */
  public static ByteBuffer snapshot(List<Open> open) {
    ProducerSnapshot state = new ProducerSnapshot();
    for (Open one : open) {
      state
          .producerEntries()
          .add(
              new ProducerEntry()
                  .setProducerId(one.producerId)
                  .setEpoch(one.producerEpoch)
                  .setLastSequence(RecordBatch.NO_SEQUENCE)
                  .setLastOffset(-1)
                  .setOffsetDelta(0)
                  .setTimestamp(one.timestampMs)
                  .setCoordinatorEpoch(one.coordinatorEpoch)
                  .setCurrentTxnFirstOffset(one.firstOffset));
    }
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
