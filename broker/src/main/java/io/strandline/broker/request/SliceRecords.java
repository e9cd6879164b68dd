package io.strandline.broker.request;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.RecordsSend;

/**
 * Record batches that lie in several buffers, as replay hands them out. Sent without copying; the
 * buffers stay valid until {@link Reply#done()}.
 */
public final class SliceRecords implements BaseRecords {
  private final List<ByteBuffer> slices;
  private final int sizeBytes;

  /**
   * @param slices remaining bytes of each in order; neither their positions nor contents are
   *     changed
   */
  public SliceRecords(List<ByteBuffer> slices) {
    this.slices = List.copyOf(slices);
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

    SliceSend(SliceRecords records) {
      super(records, records.sizeInBytes());
      left = records.slices.stream().map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
    }

    @Override
    protected int writeTo(TransferableChannel channel, int previouslyWritten, int remaining)
        throws IOException {
      return (int) channel.write(left);
    }
  }
}
