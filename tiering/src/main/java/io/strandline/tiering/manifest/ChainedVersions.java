package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Every version is an object of its own, created with put-if-absent under a key that carries its
 * number counted down from the largest, so that one LIST of one key finds the newest.
 *
 * <h2>Why a commit is a PUT and a look</h2>
 *
 * Old versions are collected. A writer that slept through that finds the number after its own free
 * and may create it, in the middle of nowhere; the PUT proves nothing. So the attempt counts only
 * if a LIST begun after it shows it newest: the newest is never collected, numbers only rise, hence
 * a newest version was never created before and its parent was the newest before it. If a later one
 * is newest already, that one's ancestry decides. (SlateDB met the same sleeper; it keeps a
 * boundary object instead.)
 *
 * <h2>Requests</h2>
 *
 * Commit: PUT, LIST. Newest: LIST, GET; with a hint younger than half the time that versions are
 * kept, one GET that finds nothing. Younger, because only then must the version after the hinted
 * one, if there is one, still be there.
 */
final class ChainedVersions implements ManifestLog {
  private static final int PROBES = 4;
  private static final int TRIES = 3;
  private static final int COLLECT_AT_ONCE = 1000;

  private final ObjectStore store;
  private final ManifestConfig config;
  private final InstantSource clock;
  private final Executor executor;
  private final VersionHints hints;

  ChainedVersions(
      ObjectStore store, ManifestConfig config, InstantSource clock, Executor executor) {
    this.store = store;
    this.config = config;
    this.clock = clock;
    this.executor = executor;
    this.hints = new VersionHints(config.hintDirectory());
  }

  @Override
  public CompletableFuture<Optional<Stored>> newest(TopicIdPartition partition) {
    long nowMs = clock.millis();
    return CompletableFuture.supplyAsync(() -> hints.get(partition), executor)
        .thenCompose(
            hint -> {
              boolean young =
                  hint.isPresent()
                      && hint.get().seenMs() <= nowMs
                      && nowMs - hint.get().seenMs() < config.hintMs();
              return young
                  ? probe(new Stored(hint.get().version(), "", Instant.EPOCH, nowMs), PROBES)
                  : look(partition, TRIES);
            })
        .thenApplyAsync(this::remember, executor);
  }

  @Override
  public CompletableFuture<Outcome> append(Stored parent, ManifestVersion next) {
    ObjectKey key = ManifestKeys.version(next.partition(), next.number());
    return store
        .putIfAbsent(key, Payload.of(VersionCodec.encode(next)))
        .handle((info, failure) -> Optional.ofNullable(failure).map(ChainedVersions::cause))
        .thenCompose(
            refusal -> refusal.isEmpty() ? lookAfter(next) : afterRefusal(key, next, refusal.get()))
        .thenApplyAsync(
            outcome -> {
              remember(Optional.of(outcome.newest()));
              return outcome;
            },
            executor);
  }

  @Override
  public CompletableFuture<Void> collect(Stored newest) {
    TopicIdPartition partition = newest.version().partition();
    long newestGoing = newest.version().number() - config.keptVersions();
    if (newestGoing < 1) {
      return CompletableFuture.completedFuture(null);
    }
    Instant before = newest.modified().minusMillis(config.keptMs());
    String after = ManifestKeys.version(partition, newestGoing + 1).value();
    return store
        .list(ManifestKeys.versionPrefix(partition), after, COLLECT_AT_ONCE)
        .thenCompose(
            page -> {
              List<ObjectKey> old =
                  page.objects().stream()
                      .filter(info -> !info.modified().isAfter(before))
                      .map(ObjectInfo::key)
                      .filter(key -> ManifestKeys.number(partition, key).isPresent())
                      .toList();
              return old.isEmpty() ? CompletableFuture.completedFuture(null) : store.delete(old);
            });
  }

  /** The PUT said no, or nothing: the object itself says whether it was ours. */
  private CompletableFuture<Outcome> afterRefusal(
      ObjectKey key, ManifestVersion next, Throwable refusal) {
    if (!(refusal instanceof StoreException.PreconditionFailed)
        && !(refusal instanceof StoreException.Unavailable)) {
      return CompletableFuture.failedFuture(refusal);
    }
    return readIfThere(key)
        .thenCompose(
            bytes -> {
              if (bytes.isPresent()) {
                ManifestVersion there = VersionCodec.decode(next.partition(), bytes.get());
                return there.nonce().equals(next.nonce()) ? lookAfter(next) : lost(next);
              }
              return refusal instanceof StoreException.PreconditionFailed
                  ? lost(next)
                  : CompletableFuture.failedFuture(refusal);
            });
  }

  /** The look that makes a won PUT count. */
  private CompletableFuture<Outcome> lookAfter(ManifestVersion next) {
    long nowMs = clock.millis();
    return top(next.partition())
        .thenCompose(
            top -> {
              long number = top.map(info -> number(next.partition(), info)).orElse(0L);
              if (number == next.number()) {
                Stored stored = new Stored(next, "", top.orElseThrow().modified(), nowMs);
                return CompletableFuture.completedFuture(new Outcome(true, stored));
              }
              if (number < next.number()) {
                return CompletableFuture.failedFuture(
                    new StoreException.Unavailable(
                        "version " + next.number() + " was put and is not listed", null));
              }
              return look(next.partition(), TRIES).thenApply(newest -> outcome(next, newest));
            });
  }

  private CompletableFuture<Outcome> lost(ManifestVersion next) {
    return look(next.partition(), TRIES)
        .thenApply(
            newest -> {
              if (newest.isEmpty() || newest.get().version().number() < next.number()) {
                throw new StoreException.Unavailable(
                    "version " + next.number() + " was refused and is not there", null);
              }
              return outcome(next, newest);
            });
  }

  private static Outcome outcome(ManifestVersion next, Optional<Stored> newest) {
    Stored stored = newest.orElseThrow(() -> vanished(next.partition()));
    return new Outcome(stored.version().descendsFrom(next.nonce()), stored);
  }

  private CompletableFuture<Optional<Stored>> look(TopicIdPartition partition, int tries) {
    long nowMs = clock.millis();
    return top(partition)
        .thenCompose(
            top -> {
              if (top.isEmpty()) {
                return CompletableFuture.completedFuture(Optional.<Stored>empty());
              }
              ObjectInfo info = top.get();
              return store
                  .get(info.key(), VersionCodec.MAX_BYTES)
                  .thenApply(
                      bytes ->
                          Optional.of(
                              new Stored(
                                  numbered(partition, number(partition, info), bytes),
                                  "",
                                  info.modified(),
                                  nowMs)))
                  .exceptionallyCompose(failure -> again(partition, tries, cause(failure)));
            });
  }

  /** The newest is never deleted, but between a LIST and a GET it may cease to be the newest. */
  private CompletableFuture<Optional<Stored>> again(
      TopicIdPartition partition, int tries, Throwable failure) {
    return failure instanceof StoreException.NotFound && tries > 1
        ? look(partition, tries - 1)
        : CompletableFuture.failedFuture(
            failure instanceof StoreException.NotFound ? vanished(partition) : failure);
  }

  private CompletableFuture<Optional<Stored>> probe(Stored known, int probes) {
    TopicIdPartition partition = known.version().partition();
    long number = known.version().number() + 1;
    return readIfThere(ManifestKeys.version(partition, number))
        .thenCompose(
            bytes -> {
              if (bytes.isEmpty()) {
                return CompletableFuture.completedFuture(Optional.of(known));
              }
              ManifestVersion version = numbered(partition, number, bytes.get());
              boolean child =
                  !version.ancestry().isEmpty()
                      && version.ancestry().get(0).equals(known.version().nonce());
              return child && probes > 1
                  ? probe(new Stored(version, "", Instant.EPOCH, known.seenMs()), probes - 1)
                  : look(partition, TRIES);
            });
  }

  private CompletableFuture<Optional<ByteBuffer>> readIfThere(ObjectKey key) {
    return store
        .get(key, VersionCodec.MAX_BYTES)
        .thenApply(Optional::of)
        .exceptionallyCompose(
            failure ->
                cause(failure) instanceof StoreException.NotFound
                    ? CompletableFuture.completedFuture(Optional.empty())
                    : CompletableFuture.failedFuture(cause(failure)));
  }

  private CompletableFuture<Optional<ObjectInfo>> top(TopicIdPartition partition) {
    return store
        .list(ManifestKeys.versionPrefix(partition), "", 1)
        .thenApply(page -> page.objects().stream().findFirst());
  }

  private Optional<Stored> remember(Optional<Stored> stored) {
    stored.ifPresent(newest -> hints.put(newest.version(), newest.seenMs()));
    return stored;
  }

  private static ManifestVersion numbered(
      TopicIdPartition partition, long number, ByteBuffer bytes) {
    ManifestVersion version = VersionCodec.decode(partition, bytes);
    if (version.number() != number) {
      throw new StoreException.Unavailable(
          "version " + version.number() + " where " + number + " should be", null);
    }
    return version;
  }

  private static long number(TopicIdPartition partition, ObjectInfo info) {
    return ManifestKeys.number(partition, info.key())
        .orElseThrow(
            () -> new StoreException.Refused("not a version of ours: " + info.key(), null));
  }

  private static StoreException vanished(TopicIdPartition partition) {
    return new StoreException.Unavailable("no newest version of " + partition, null);
  }

  static Throwable cause(Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}
