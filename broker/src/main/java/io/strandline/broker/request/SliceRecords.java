package io.strandline.broker.request;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * Record batches that lie in several buffers, as replay hands them out. Sent without copying; the
 * buffers stay valid until {@link Reply#done()}.
 */
public final class SliceRecords implements BaseRecords {
  /** A channel that wants to know what the memory is worth that it is given to send from. */
  public interface Carrier {
    /**
     * @param wanted whether others have long been waiting for the memory; may be asked by any
     *     thread until {@link Reply#done()}
     */
    void carries(BooleanSupplier wanted);
  }

  private final List<ByteBuffer> slices;
  private final BooleanSupplier wanted;
  private final int sizeBytes;

  /**
   * @param slices remaining bytes of each in order; neither their positions nor contents are
   *     changed
   * @param wanted whether others have long been waiting for the memory they lie in
   */
  public SliceRecords(List<ByteBuffer> slices, BooleanSupplier wanted) {
    this.slices = List.copyOf(slices);
    this.wanted = wanted;
    this.sizeBytes = slices.stream().mapToInt(ByteBuffer::remaining).reduce(0, Math::addExact);
  }

  @Override
  public int sizeInBytes() {
    return sizeBytes;
  }

  @Override
  public RecordsSend<SliceRecords> toSend() {
    return new SliceSend(this);
  }

  private static final class SliceSend extends RecordsSend<SliceRecords> {
    private final ByteBuffer[] left;
    private final BooleanSupplier wanted;

    SliceSend(SliceRecords records) {
      super(records, records.sizeInBytes());
      wanted = records.wanted;
      left = records.slices.stream().map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
    }

    @Override
    protected int writeTo(TransferableChannel channel, int previouslyWritten, int remaining)
        throws IOException {
      if (channel instanceof Carrier carrier) {
        carrier.carries(wanted);
      }
      return (int) channel.write(left);
    }
  }
}
