package io.strandline.tiering.scrub;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.scrub.ScrubLedger.Position;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads segments from end to end, slowly: one of a partition at a time, one partition of a broker
 * at a time. What is found wrong is read once more before it is told, for the way may have damaged
 * it, and must still be named then. Threads: any.
 */
public final class FullScrub {
  private static final long IDLE_MS = 60_000;

  /**
   * What it works with.
   *
   * @param stores where the objects lie that the manifests name; segments of a cluster whose store
   *     is not known are passed over
   * @param executor for sums over pieces of some MiB
   */
  public record Environment(
      OwnedStores stores,
      Manifests manifests,
      ScrubTurns turns,
      ScrubLedger ledger,
      Executor executor,
      LongSupplier clockMs) {}

  private final Environment environment;
  private final ScrubConfig config;

  public FullScrub(Environment environment, ScrubConfig config) {
    this.environment = environment;
    this.config = config;
  }

  /**
   * How long until a partition should read on.
   *
   * @param done segments read just now; none if it holds none
   */
  public long pauseMs(TopicIdPartition partition, int done) {
    return done > 0 ? 0 : Math.max(IDLE_MS, untilRoundMs(partition));
  }

  /** How long until the partition's next round begins; 0 while one is under way. */
  private long untilRoundMs(TopicIdPartition partition) {
    if (config.bytesPerSecond() == 0) {
      return config.roundMs();
    }
    Position at = environment.ledger.position(partition);
    if (at.nextOffset() != Long.MAX_VALUE) {
      return 0;
    }
    long sinceMs = environment.clockMs.getAsLong() - at.roundMs();
    // What began in the future, began by a clock that was wrong.
    return sinceMs < -IDLE_MS ? 0 : Math.max(0, config.roundMs() - sinceMs);
  }

  /**
   * Reads the partition's next segment, once it is its turn and in its own time.
   *
   * @return segments read; fails with {@link StoreException} if the store does not answer, or
   *     refuses more than this segment's bytes
   */
  public CompletableFuture<Integer> readOn(ManifestWriter writer, BooleanSupplier left) {
    TopicIdPartition partition = writer.view().partition();
    if (untilRoundMs(partition) > 0 || writer.view().segmentCount() == 0) {
      return CompletableFuture.completedFuture(0);
    }
    return environment
        .turns
        .enter(left)
        .thenCompose(
            mine ->
                mine
                    ? CompletableFuture.completedFuture(writer.view())
                        .thenCompose(view -> next(view, left))
                        .whenComplete((done, failure) -> environment.turns.exit())
                        .exceptionally(FullScrub::noneIfLeft)
                    : CompletableFuture.completedFuture(0));
  }

  private static int noneIfLeft(Throwable failure) {
    if (failure.getCause() instanceof CancellationException) {
      return 0;
    }
    throw new CompletionException(failure.getCause() == null ? failure : failure.getCause());
  }

  private CompletableFuture<Integer> next(ManifestView view, BooleanSupplier left) {
    Position was = environment.ledger.position(view.partition());
    Position at =
        was.nextOffset() == Long.MAX_VALUE || was.equals(Position.NONE)
            ? new Position(0, environment.clockMs.getAsLong())
            : was;
    return view.from(Math.max(at.nextOffset(), view.startOffset()), 1)
        .thenCompose(
            entries -> {
              if (entries.isEmpty()) {
                environment.ledger.position(
                    view.partition(), new Position(Long.MAX_VALUE, at.roundMs()));
                return CompletableFuture.completedFuture(0);
              }
              SegmentEntry entry = entries.get(0);
              return read(view.partition(), entry, left)
                  .thenApply(
                      findings -> {
                        Position next = new Position(entry.endOffset(), at.roundMs());
                        environment.ledger.read(view.partition(), entry, findings, next);
                        environment.ledger.readSegments.increment();
                        return 1;
                      });
            });
  }

  private CompletableFuture<List<AuditFinding>> read(
      TopicIdPartition partition, SegmentEntry entry, BooleanSupplier left) {
    if (!environment.stores.knows(entry.ownerCluster())) {
      return CompletableFuture.completedFuture(List.of());
    }
    return readOnce(partition, entry, left)
        .thenCompose(
            first ->
                first.isEmpty()
                    ? CompletableFuture.completedFuture(first)
                    : readOnce(partition, entry, left)
                        .thenCompose(again -> ifNamed(partition, entry, again)));
  }

  private CompletableFuture<List<AuditFinding>> readOnce(
      TopicIdPartition partition, SegmentEntry entry, BooleanSupplier left) {
    SegmentAudit.Way way =
        new SegmentAudit.Way(
            ScrubConfig.PIECE_BYTES_MAX,
            bytes -> rest(bytes, left),
            bytes -> environment.ledger.readBytes.increment((double) bytes),
            environment.executor);
    SegmentAudit audit =
        new SegmentAudit(environment.stores.of(entry.ownerCluster()), partition, entry);
    return audit.run(null, way).thenApply(findings -> damages(findings, audit.away()));
  }

  private CompletableFuture<Void> rest(int bytes, BooleanSupplier left) {
    return environment
        .turns
        .rest(config.restMs(bytes), left)
        .thenAccept(
            goOn -> {
              if (!goOn) {
                throw new CancellationException("led no more");
              }
            });
  }

  /** As the store failed: of one that was not even asked nobody needs to be told again. */
  private static List<AuditFinding> damages(
      List<AuditFinding> findings, StoreException.@Nullable Unavailable away) {
    if (away != null) {
      throw away;
    }
    return findings.stream().filter(f -> f.kind().damage()).toList();
  }

  private CompletableFuture<List<AuditFinding>> ifNamed(
      TopicIdPartition partition, SegmentEntry entry, List<AuditFinding> findings) {
    return environment
        .manifests
        .read(partition)
        .thenCompose(view -> view.find(entry.endOffset() - 1))
        .thenApply(now -> now.filter(entry::equals).isPresent() ? findings : List.of());
  }
}
