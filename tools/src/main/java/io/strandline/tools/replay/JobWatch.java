package io.strandline.tools.replay;

import io.strandline.replay.job.HistoryRecord;
import io.strandline.replay.job.JobProgress;
import io.strandline.replay.job.RecordSink;
import io.strandline.replay.job.ReplayJob;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Beside a running job, and between it and its output: says how far it is and what it leaves out,
 * saves checkpoints, ends it in order on a signal.
 */
public final class JobWatch implements RecordSink, AutoCloseable {
  private static final long END_WITHIN_S = 30;

  private final ReplayJob job;
  private final RecordOutput output;
  private final @Nullable Checkpoint checkpoint;
  private final Every every;
  private final CountDownLatch over = new CountDownLatch(1);
  private final Thread onSignal;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "job-watch");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * How often something is done.
   *
   * @param line a line is printed; never if zero
   * @param save the checkpoint is written
   */
  public record Every(Duration line, Duration save) {}

  public JobWatch(
      ReplayJob job, RecordOutput output, @Nullable Checkpoint checkpoint, Every every) {
    this.job = job;
    this.output = output;
    this.checkpoint = checkpoint;
    this.every = every;
    this.onSignal = new Thread(this::stopAndWait, "job-signal");
  }

  public void start() {
    Runtime.getRuntime().addShutdownHook(onSignal);
    var unused =
        timer.scheduleWithFixedDelay(
            this::saveOrStop, every.save.toMillis(), every.save.toMillis(), TimeUnit.MILLISECONDS);
    if (!every.line.isZero()) {
      var unusedToo =
          timer.scheduleWithFixedDelay(
              () -> System.err.println(line(job.progress())),
              every.line.toMillis(),
              every.line.toMillis(),
              TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void accept(int partition, List<HistoryRecord> records) throws IOException {
    output.accept(partition, records);
  }

  @Override
  public void skipped(JobProgress.Skipped range) {
    System.err.println("cannot be read, goes on behind it: " + line(range));
  }

  private void stopAndWait() {
    job.stop();
    try {
      boolean unused = over.await(END_WITHIN_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A job whose output or checkpoints cannot be written is not to go on for hours. */
  private void saveOrStop() {
    try {
      save();
    } catch (IOException e) {
      System.err.println("what was read, or how far, cannot be written: " + e.getMessage());
      job.stop();
    }
  }

  public synchronized void save() throws IOException {
    Map<Integer, RecordOutput.Mark> safe = output.flush();
    if (checkpoint != null) {
      // Asked for now, they are all that what is safe has left out.
      checkpoint.save(safe, job.progress().skipped());
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
    over.countDown();
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException e) {
      // The process is ending: that is why the job did.
    }
  }

  /** A range that is left out, and why. */
  public static String line(JobProgress.Skipped range) {
    return String.format(
        Locale.ROOT,
        "partition %d, offsets %d to %d: %s",
        range.partition(),
        range.fromOffset(),
        range.endOffset(),
        range.reason());
  }

  /** How far, how fast, how long still. */
  public static String line(JobProgress at) {
    long total = at.totalBytes();
    double seconds = Math.max(at.elapsedMs() / 1e3, 1e-3);
    OptionalLong left = at.remainingMs();
    return String.format(
        Locale.ROOT,
        "%.1f %%, %,d records, %,.1f MB/s of the bucket's, %s",
        total == 0 ? 100.0 : 100.0 * at.doneBytes() / total,
        at.records(),
        at.doneBytes() / 1e6 / seconds,
        at.complete()
            ? String.format(Locale.ROOT, "%.1f s", seconds)
            : left.isEmpty()
                ? "no estimate yet"
                : Duration.ofSeconds(left.getAsLong() / 1000).toString().substring(2) + " left");
  }
}
