package io.strandline.tests.simulation;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.upload.UploadedSegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One that believes to lead: does what a tier pipeline does, one thing at a time, until stopped.
 */
final class SimulatedLeader {
  private final ManifestSimulation simulation;
  private final SimulatedProcess process;
  private final ObjectStore store;
  private final Manifests manifests;
  private final int leaderEpoch;
  private @Nullable ManifestWriter writer;
  private boolean stopped;
  private int uploads;

  SimulatedLeader(
      ManifestSimulation simulation,
      SimulatedProcess process,
      ObjectStore store,
      Manifests manifests,
      int leaderEpoch) {
    this.simulation = simulation;
    this.process = process;
    this.store = store;
    this.manifests = manifests;
    this.leaderEpoch = leaderEpoch;
    process.execute(this::step);
  }

  void stop() {
    stopped = true;
  }

  private void step() {
    if (stopped) {
      return;
    }
    if (simulation.random.nextInt(50) == 0) {
      process.sleep(simulation.between(1, ManifestSimulation.kept().toMillis() * 3) * 1_000_000L);
    }
    CompletableFuture<?> unused =
        act()
            .whenComplete(
                (done, failure) -> {
                  Throwable cause = cause(failure);
                  if (cause instanceof FencedException) {
                    simulation.fenced();
                    stopped = true;
                  } else if (cause != null && !(cause instanceof StoreException)) {
                    simulation.violated(cause);
                  } else {
                    again();
                  }
                });
  }

  private void again() {
    var unused =
        simulation.time.schedule(
            () -> process.execute(this::step), simulation.between(1, 1500), TimeUnit.MILLISECONDS);
  }

  private CompletableFuture<?> act() {
    ManifestWriter w = writer;
    if (w == null) {
      return manifests
          .acquire(ManifestSimulation.PARTITION, leaderEpoch)
          .thenAccept(acquired -> writer = acquired);
    }
    return switch (simulation.random.nextInt(10)) {
      case 0, 1 -> advance(w);
      case 2 -> reclaim(w);
      case 3 -> replace(w);
      default -> add(w);
    };
  }

  private CompletableFuture<?> add(ManifestWriter w) {
    // A pipeline asks where to go on after an open outcome: the answer is the end it builds on.
    return w.committed(0, 1)
        .thenCompose(
            some -> {
              List<SegmentEntry> next = new ArrayList<>();
              long at = w.view().endOffset();
              for (int i = simulation.random.nextInt(3); i >= 0; i--) {
                next.add(
                    entry(at, 1 + simulation.random.nextInt(9), leaderEpoch + "-" + uploads++));
                at = next.get(next.size() - 1).endOffset();
              }
              return upload(store, next);
            })
        .thenCompose(w::add)
        .thenAccept(
            committed ->
                simulation.committed(committed.stream().map(CommittedSegment::entry).toList()));
  }

  private CompletableFuture<?> advance(ManifestWriter w) {
    long range = w.view().endOffset() - w.view().startOffset();
    long to = w.view().startOffset() + simulation.random.nextInt((int) range / 2 + 2);
    return w.advanceStart(Math.min(to, w.view().endOffset()));
  }

  /** Merges a run of what is held, sometimes into two, and says how far it has come. */
  private CompletableFuture<?> replace(ManifestWriter w) {
    long range = w.view().endOffset() - w.view().startOffset();
    long from = w.view().startOffset() + simulation.random.nextInt((int) range + 1);
    return w.committed(from, 1 + simulation.random.nextInt(8))
        .thenCompose(
            run -> {
              List<SegmentEntry> old = run.stream().map(CommittedSegment::entry).toList();
              Compaction progress = progress(w, old);
              if (old.isEmpty()) {
                return w.replace(Replacement.progress(progress)).thenAccept(view -> {});
              }
              List<SegmentEntry> by = merged(old);
              simulation.replacing(old, by);
              return upload(store, by)
                  .thenCompose(uploaded -> w.replace(new Replacement(old, uploaded, progress)))
                  .thenAccept(view -> simulation.committed(by));
            });
  }

  private List<SegmentEntry> merged(List<SegmentEntry> old) {
    int parts = old.size() > 1 ? 1 + simulation.random.nextInt(2) : 1;
    List<SegmentEntry> by = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      long base = old.get(old.size() * part / parts).baseOffset();
      long end = old.get(old.size() * (part + 1) / parts - 1).endOffset();
      by.add(entry(base, (int) (end - base), "c" + leaderEpoch + "-" + uploads++));
    }
    return by;
  }

  private static Compaction progress(ManifestWriter w, List<SegmentEntry> run) {
    long end = w.view().endOffset();
    long at = run.isEmpty() ? end : run.get(run.size() - 1).endOffset();
    return new Compaction(w.view().compaction().cleanedOffset(), end, at);
  }

  private CompletableFuture<?> reclaim(ManifestWriter w) {
    return w.retired(simulation.random.nextInt(20) + 1)
        .thenCompose(
            retired ->
                store
                    .delete(
                        retired.stream().map(RetiredSegment::entry).map(e -> e.object()).toList())
                    .thenCompose(deleted -> w.forget(retired)));
  }

  static SegmentEntry entry(long baseOffset, int offsets, String name) {
    ObjectKey key = ObjectKey.of("objects/" + name + "-" + baseOffset);
    long end = baseOffset + offsets;
    return new SegmentEntry(
        "cluster",
        ManifestSimulation.PARTITION,
        key,
        0,
        64,
        32,
        8,
        0,
        baseOffset,
        end,
        end,
        0,
        false);
  }

  static CompletableFuture<List<UploadedSegment>> upload(
      ObjectStore store, List<SegmentEntry> entries) {
    CompletableFuture<?>[] puts =
        entries.stream()
            .map(entry -> store.put(entry.object(), Payload.of(ByteBuffer.allocate(64))))
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(puts)
        .thenApply(done -> entries.stream().map(UploadedSegment::new).toList());
  }

  private static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException ? failure.getCause() : failure;
  }
}
