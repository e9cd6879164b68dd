package io.strandline.broker.request.data;

import io.strandline.replay.Replay;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/** A tier that answers when the test says so. */
public final class FakeReplay implements Replay {
  public record Asked(ReplayRequest request, CompletableFuture<ReplayRead> answer) {}

  /** Bytes whose closing is counted. */
  static final class Read implements ReplayRead {
    private final ByteBuffer bytes;
    private final long nextOffset;
    int closed;

    Read(int sizeBytes) {
      this(sizeBytes, 1);
    }

    Read(int sizeBytes, long nextOffset) {
      this(ByteBuffer.allocate(sizeBytes), nextOffset);
    }

    Read(ByteBuffer bytes, long nextOffset) {
      this.bytes = bytes;
      this.nextOffset = nextOffset;
    }

    @Override
    public List<ByteBuffer> slices() {
      return bytes.hasRemaining() ? List.of(bytes) : List.of();
    }

    @Override
    public int sizeBytes() {
      return bytes.remaining();
    }

    @Override
    public long nextOffset() {
      return nextOffset;
    }

    @Override
    public List<AbortedRange> abortedTransactions() {
      return List.of();
    }

    @Override
    public boolean wanted() {
      return false;
    }

    @Override
    public void close() {
      closed++;
    }
  }

  public final List<Asked> asked = new ArrayList<>();
  public TierRange range = new TierRange(0, 0);

  /** Thrown once by the next read. */
  public Optional<Error> breaks = Optional.empty();

  @Override
  public CompletableFuture<ReplayRead> read(ReplayRequest request) {
    if (breaks.isPresent()) {
      Error thrown = breaks.get();
      breaks = Optional.empty();
      throw thrown;
    }
    Asked made = new Asked(request, new CompletableFuture<>());
    asked.add(made);
    return made.answer();
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> firstReaching(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    return CompletableFuture.completedFuture(Optional.empty());
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> latest(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    return CompletableFuture.completedFuture(Optional.empty());
  }

  @Override
  public CompletableFuture<TierRange> range(TopicIdPartition partition) {
    return CompletableFuture.completedFuture(range);
  }

  @Override
  public void left(String reader) {}

  @Override
  public void close() {}
}
