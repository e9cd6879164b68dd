package io.strandline.replay;

import io.micrometer.core.instrument.Counter;
import io.strandline.replay.ReplayException.Damage;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.replay.fetch.Indexes;
import io.strandline.replay.fetch.ReadStream;
import io.strandline.replay.fetch.Streams;
import io.strandline.replay.fetch.Views;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads of the tier through the cache.
 *
 * <p>A read goes: view of the manifest → segment and position → window of bytes → whole batches. A
 * caller that cancels its future gets nothing and disturbs nothing: bytes on their way still arrive
 * and wait for the same reader's next try; only a wait for memory is given up. Bytes that turn out
 * damaged or missing are forgotten, the view is read again, and the read is tried again: so a
 * segment that retention or compaction replaced meanwhile gives the right answer, and only what the
 * newest version still names is called corrupt. What may have been damaged on the way is tried
 * three times more, what is missing once.
 *
 * <p>Threads: any; everything after the call runs on the executor given.
 */
public final class TieredReplay implements Replay {
  private static final int TRIES_AGAIN = 3;

  /** Told of each read that fails for what the tier holds; must not block. */
  @FunctionalInterface
  public interface DamageListener {
    void damaged(TopicIdPartition partition, ReplayException.Damage range);
  }

  private final Executor executor;
  private final Views views;
  private final Streams streams;
  private final SegmentRead segments;
  private final TimestampLookup timestamps;
  private final Counter bytes;
  private final FetchEnvironment environment;
  private final DamageListener damages;

  public TieredReplay(FetchConfig config, FetchEnvironment environment) {
    this(config, environment, (partition, range) -> {});
  }

  public TieredReplay(FetchConfig config, FetchEnvironment environment, DamageListener damages) {
    this.environment = environment;
    this.damages = damages;
    this.executor = environment.executor();
    this.views = new Views(config, environment);
    this.streams = new Streams(config, environment);
    Indexes indexes = new Indexes(config, environment);
    this.segments = new SegmentRead(streams, indexes, executor, config.readBytesMax());
    this.timestamps = new TimestampLookup(streams, indexes, executor, config.bounds());
    this.bytes =
        Counter.builder("strandline.replay.bytes")
            .baseUnit("bytes")
            .register(environment.metrics());
  }

  @Override
  public CompletableFuture<ReplayRead> read(ReplayRequest request) {
    CompletableFuture<ReplayRead> answer = new CompletableFuture<>();
    ReadStream stream = streams.of(request.reader(), request.partition());
    CompletableFuture<?> unused =
        view(request.partition(), request.offset())
            .thenComposeAsync(view -> read(stream, request.until(answer::isDone), view), executor)
            .whenComplete((read, failure) -> settle(answer, request, read, failure));
    return answer;
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> firstReaching(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    return lookUp(
        partition, fromOffset, endOffset, view -> timestamps.find(view, fromOffset, timestampMs));
  }

  @Override
  public CompletableFuture<Optional<TimestampedOffset>> latest(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs) {
    return lookUp(
        partition, fromOffset, endOffset, view -> timestamps.latest(view, fromOffset, timestampMs));
  }

  private CompletableFuture<Optional<TimestampedOffset>> lookUp(
      TopicIdPartition partition, long fromOffset, long endOffset, LookUp look) {
    CompletableFuture<Optional<TimestampedOffset>> answer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        views
            .view(partition, Math.max(fromOffset, endOffset - 1))
            .thenComposeAsync(view -> lookUp(view, look), executor)
            .whenComplete(
                (found, failure) -> {
                  if (failure == null) {
                    answer.complete(found);
                  } else {
                    answer.completeExceptionally(failed(failure, partition, fromOffset));
                  }
                });
    return answer;
  }

  @Override
  public CompletableFuture<TierRange> range(TopicIdPartition partition) {
    CompletableFuture<TierRange> answer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        views
            .view(partition, 0)
            .whenCompleteAsync(
                (view, failure) -> {
                  if (failure == null) {
                    answer.complete(new TierRange(view.startOffset(), view.endOffset()));
                  } else {
                    answer.completeExceptionally(failed(failure, partition, 0));
                  }
                },
                executor);
    return answer;
  }

  @Override
  public void left(String reader) {
    executor.execute(() -> streams.left(reader));
  }

  /**
   * Forgets readers that have not read lately; to be called every few seconds.
   *
   * @return how many
   */
  public int dropIdle() {
    return streams.dropIdle();
  }

  /** Bytes reserved now: requests in flight, chunks kept ahead and answers not yet closed. */
  public long reservedBytes() {
    return streams.reservedBytes();
  }

  @Override
  public void close() {
    streams.close();
  }

  /** Never kept when damaged, so one more read tells whether the transfer was. */
  private CompletableFuture<ManifestView> view(TopicIdPartition partition, long offset) {
    return views
        .view(partition, offset)
        .exceptionallyCompose(
            failure ->
                Failures.isBadBytes(failure)
                    ? views.refresh(partition)
                    : CompletableFuture.failedFuture(failure));
  }

  private CompletableFuture<ReplayRead> read(
      ReadStream stream, ReplayRequest request, ManifestView view) {
    return read(stream, request, view, TRIES_AGAIN);
  }

  private CompletableFuture<ReplayRead> read(
      ReadStream stream, ReplayRequest request, ManifestView view, int triesLeft) {
    return inRange(stream, request, view)
        .exceptionallyCompose(
            failure -> {
              int left = Failures.mayBeTheWay(failure) ? triesLeft : Math.min(1, triesLeft);
              boolean large = Failures.isNewsOfLargeBatch(failure);
              if (!(large && left > 0) && !Failures.isBadBytes(failure)) {
                return CompletableFuture.failedFuture(failure);
              }
              return left == 0
                  ? damaged(stream, request, view, failure)
                  : again(stream, request, view, left - 1);
            });
  }

  private CompletableFuture<ReplayRead> again(
      ReadStream stream, ReplayRequest request, ManifestView old, int triesLeft) {
    environment.metrics().counter("strandline.replay.retries").increment();
    return segments
        .forget(stream, old, request.offset())
        .thenCompose(nothing -> views.refresh(request.partition()))
        .thenComposeAsync(view -> read(stream, request, view, triesLeft), executor);
  }

  /** Says which offsets share the fate of the one asked for: its segment's, or a gap's. */
  private CompletableFuture<ReplayRead> damaged(
      ReadStream stream, ReplayRequest request, ManifestView view, Throwable failure) {
    ReplayException told = Failures.explain(failure, request.partition(), request.offset());
    return segments
        .forget(stream, view, request.offset())
        .thenCompose(nothing -> view.from(request.offset(), 1))
        .handle(
            (entries, unknown) -> {
              if (entries == null || entries.isEmpty()) {
                throw told;
              }
              SegmentEntry entry = entries.get(0);
              Damage range =
                  entry.baseOffset() <= request.offset()
                      ? new Damage(entry.baseOffset(), entry.endOffset())
                      : new Damage(request.offset(), entry.baseOffset());
              damages.damaged(request.partition(), range);
              throw told.within(range);
            });
  }

  private CompletableFuture<ReplayRead> inRange(
      ReadStream stream, ReplayRequest request, ManifestView view) {
    if (request.offset() < view.startOffset() || request.offset() >= view.endOffset()) {
      String why = "the tier holds " + view.startOffset() + " to " + view.endOffset();
      return CompletableFuture.failedFuture(
          Failures.outOfRange(request.partition(), request.offset(), why));
    }
    return segments.read(stream, request, view);
  }

  private interface LookUp
      extends Function<ManifestView, CompletableFuture<Optional<TimestampedOffset>>> {}

  private CompletableFuture<Optional<TimestampedOffset>> lookUp(ManifestView view, LookUp look) {
    return look.apply(view)
        .exceptionallyCompose(
            failure ->
                Failures.mayBeBadBytes(failure)
                    ? views.refresh(view.partition()).thenComposeAsync(look, executor)
                    : CompletableFuture.failedFuture(failure));
  }

  private void settle(
      CompletableFuture<ReplayRead> answer,
      ReplayRequest request,
      @Nullable ReplayRead read,
      @Nullable Throwable failure) {
    if (read != null) {
      bytes.increment(read.sizeBytes());
      if (!answer.complete(read)) {
        read.close();
      }
    } else if (failure != null) {
      answer.completeExceptionally(failed(failure, request.partition(), request.offset()));
    }
  }

  private ReplayException failed(Throwable failure, TopicIdPartition partition, long offset) {
    ReplayException explained = Failures.explain(failure, partition, offset);
    if (!(explained.getCause() instanceof CancellationException)) {
      String kind = explained.kind().name().toLowerCase(Locale.ROOT);
      environment.metrics().counter("strandline.replay.failures", "kind", kind).increment();
    }
    return explained;
  }
}
