package io.strandline.broker.partition;

import io.strandline.replay.Replay;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;

/** A tier that answers what the test says and remembers what it was asked. */
final class HistoryFake implements Replay {
  record TimeAsked(long fromOffset, long endOffset, long timestampMs) {}

  final List<ReplayRequest> reads = new ArrayList<>();
  final List<TimeAsked> times = new ArrayList<>();
  CompletableFuture<ReplayRead> read = new CompletableFuture<>();
  Optional<TimestampedOffset> found = Optional.empty();

  /** The records of the tier, asked where {@link #found} says nothing. */
  List<TimestampedOffset> oracle = List.of();

  TierRange range = new TierRange(0, 0);

  private Stream<TimestampedOffset> reaching(long fromOffset, long timestampMs) {
    return oracle.stream()
        .filter(there -> there.offset() >= fromOffset && there.timestampMs() >= timestampMs);
  }

  @Override
  public CompletableFuture<ReplayRead> read(ReplayRequest request) {
    reads.add(request);
    return read;
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> firstReaching(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    times.add(new TimeAsked(fromOffset, endOffset, timestampMs));
    return CompletableFuture.completedFuture(
        found.or(() -> reaching(fromOffset, timestampMs).findFirst()));
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> latest(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    times.add(new TimeAsked(fromOffset, endOffset, timestampMs));
    return CompletableFuture.completedFuture(
        found
            .or(
                () ->
                    reaching(fromOffset, timestampMs)
                        .reduce((a, b) -> b.timestampMs() > a.timestampMs() ? b : a))
            .filter(there -> there.timestampMs() >= timestampMs));
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
