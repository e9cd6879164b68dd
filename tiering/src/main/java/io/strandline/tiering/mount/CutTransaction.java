package io.strandline.tiering.mount;

import io.strandline.tiering.restore.TierTail;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.SegmentFormatException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot;
import org.apache.kafka.server.log.remote.metadata.storage.generated.ProducerSnapshot.ProducerEntry;

/**
 * A transaction that has records below the tier's end and its marker above: how it ended is known,
 * since nothing is tiered before that, but whatever else it wrote is not there.
 *
 * @param producerId,producerEpoch whose it was
 * @param firstOffset of its first record
 * @param aborted else it was committed
 */
public record CutTransaction(
    long producerId, short producerEpoch, long firstOffset, boolean aborted) {
  /**
   * The transactions that the end of a tier cuts, in the order of their offsets.
   *
   * @throws SegmentFormatException if the producer state there can not be read
   */
  public static List<CutTransaction> at(TierTail tail) {
    List<CutTransaction> cut = new ArrayList<>();
    tail.producerSnapshot()
        .ifPresent(
            bytes -> {
              for (ProducerEntry producer : snapshot(bytes.duplicate()).producerEntries()) {
                if (producer.currentTxnFirstOffset() >= 0) {
                  cut.add(of(producer, tail.aborted()));
                }
              }
            });
    cut.sort((a, b) -> Long.compare(a.firstOffset, b.firstOffset));
    return cut;
  }

  private static CutTransaction of(ProducerEntry producer, List<AbortedTransaction> aborted) {
    return new CutTransaction(
        producer.producerId(),
        producer.epoch(),
        producer.currentTxnFirstOffset(),
        aborted.stream()
            .anyMatch(
                a ->
                    a.producerId() == producer.producerId()
                        && a.firstOffset() == producer.currentTxnFirstOffset()));
  }

  private static ProducerSnapshot snapshot(ByteBuffer bytes) {
    try {
      short version = bytes.getShort();
      if (version < ProducerSnapshot.LOWEST_SUPPORTED_VERSION
          || version > ProducerSnapshot.HIGHEST_SUPPORTED_VERSION) {
        throw new SegmentFormatException("a producer snapshot of version " + version);
      }
      return new ProducerSnapshot(new ByteBufferAccessor(bytes), version);
    } catch (SegmentFormatException known) {
      throw known;
    } catch (RuntimeException malformed) {
      throw new SegmentFormatException("a malformed producer snapshot: " + malformed);
    }
  }
}
