package io.strandline.replay.job;

import io.strandline.replay.job.PartitionRun.Range;
import io.strandline.tiering.manifest.ManifestView;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * One pass over a range of a topic's history. What it covers is fixed when it is made: what is
 * tiered later is a later job's. Threads: {@link #run} blocks its caller; the rest any.
 */
public final class ReplayJob {
  private final JobServices services;
  private final JobSpec spec;
  private final List<PartitionRun> runs;
  private final Queue<PartitionRun> waiting;
  private volatile boolean stopped;
  private volatile long startedMs = -1;

  private ReplayJob(JobServices services, JobSpec spec, List<PartitionRun> runs) {
    this.services = services;
    this.spec = spec;
    this.runs = List.copyOf(runs);
    this.waiting = new ConcurrentLinkedQueue<>(runs);
  }

  /** Finds where each partition begins and ends; asks the bucket where a time says so. */
  static ReplayJob of(JobServices services, JobSpec spec, List<ManifestView> views) {
    PartitionRun.Shared shared =
        new PartitionRun.Shared(
            new Pacer(spec.bytesPerSecond(), services.nanoTicker(), services.pause()),
            "job-" + services.readers().incrementAndGet());
    List<PartitionRun> runs = new ArrayList<>();
    for (ManifestView view : views) {
      long from = from(services, spec, view);
      long end = Math.min(view.endOffset(), offset(services, spec.to(), view, view.endOffset()));
      runs.add(
          new PartitionRun(services, spec, view, shared, new Range(from, Math.max(from, end))));
    }
    runs.sort(Comparator.comparingInt(PartitionRun::number));
    return new ReplayJob(services, spec, runs);
  }

  /** Of the topic that is read: what offsets to resume at are of. */
  public String topicId() {
    return runs.get(0).topicId();
  }

  private static long from(JobServices services, JobSpec spec, ManifestView view) {
    Long resumed = spec.resume().get(view.partition().partition());
    if (resumed != null) {
      // A job told to begin behind the end has not come further than that.
      boolean asTold = spec.from() instanceof Position.Offset at && resumed <= at.offset();
      if (resumed > view.endOffset() && !asTold) {
        throw new IllegalArgumentException(
            "the job is to go on at offset "
                + resumed
                + " of "
                + view.partition().topicPartition()
                + ", and the bucket's history of topic id "
                + view.partition().topicId()
                + " ends at "
                + view.endOffset()
                + ": was the topic deleted and created again?");
      }
      return resumed;
    }
    long wanted = offset(services, spec.from(), view, view.startOffset());
    return Math.max(view.startOffset(), wanted);
  }

  private static long offset(
      JobServices services, Position position, ManifestView view, long edge) {
    if (position instanceof Position.Offset at) {
      return at.offset();
    }
    if (position instanceof Position.Time time) {
      return view.segmentCount() == 0
          ? view.endOffset()
          : services
              .waits()
              .join(
                  services
                      .replay()
                      .firstReaching(
                          view.partition(), view.startOffset(), view.endOffset(), time.ms()))
              .map(found -> found.offset())
              .orElse(view.endOffset());
    }
    return edge;
  }

  /**
   * Reads everything into the sink.
   *
   * @return how far it came: complete unless {@link #stop} was called
   * @throws IOException what the sink threw
   * @throws io.strandline.replay.ReplayException if a range cannot be read, or the store did not
   *     answer for too long; {@link #progress} tells where
   * @throws IllegalStateException if the history is closed meanwhile
   */
  public JobProgress run(RecordSink sink) throws IOException {
    startedMs = services.clock().millis();
    int threads = Math.min(spec.parallelism(), Math.max(1, runs.size()));
    List<CompletableFuture<Void>> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      workers.add(CompletableFuture.runAsync(() -> work(sink), services.workers()));
    }
    Optional<Throwable> failure = await(workers);
    if (failure.isPresent()) {
      if (failure.get() instanceof IOException io) {
        throw io;
      }
      throw asUnchecked(failure.get());
    }
    return progress();
  }

  /** Ends {@link #run} after the reads that are under way. */
  public void stop() {
    stopped = true;
  }

  public JobProgress progress() {
    long began = startedMs;
    return new JobProgress(
        runs.stream().map(PartitionRun::progress).toList(),
        runs.stream().mapToLong(PartitionRun::records).sum(),
        began < 0 ? 0 : services.clock().millis() - began);
  }

  private void work(RecordSink sink) {
    try {
      for (PartitionRun run = waiting.poll(); run != null; run = waiting.poll()) {
        while (!run.done() && !stopped) {
          run.step(sink);
        }
      }
    } catch (IOException e) {
      stopped = true; // the other partitions end too
      throw new CompletionException(e);
    } catch (InterruptedException e) {
      stopped = true;
      Thread.currentThread().interrupt();
      throw new CompletionException(e);
    } catch (RuntimeException e) {
      stopped = true;
      throw e;
    }
  }

  private static Optional<Throwable> await(List<CompletableFuture<Void>> workers) {
    @Nullable Throwable first = null;
    for (CompletableFuture<Void> worker : workers) {
      Throwable failure = worker.handle((done, thrown) -> thrown).join();
      if (failure != null && first == null) {
        first =
            failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
      }
    }
    return Optional.ofNullable(first);
  }

  private static RuntimeException asUnchecked(Throwable failure) {
    return failure instanceof RuntimeException known ? known : new IllegalStateException(failure);
  }
}
