package io.strandline.broker.log;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.segment.OpenSegments;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;

/**
 * What a log needs of the process: it makes no thread, no clock and no chance of its own.
 *
 * @param disk the file system
 * @param clock for the age of segments and producers
 * @param random jitter of rolls, names of directories to be deleted
 * @param executor blocking work: seal, flush, recovery; {@code Runnable::run} in simulations
 * @param scheduler delayed deletion of files; its tasks are short
 * @param meters {@code strandline.log.*}
 * @param hot shared by all logs
 * @param open on the disk; one line for all logs, and a list for each directory
 */
public record LogRuntime(
    Disk disk,
    InstantSource clock,
    RandomGenerator random,
    Executor executor,
    ScheduledExecutorService scheduler,
    MeterRegistry meters,
    LogSettings settings,
    HotWindow hot,
    OpenSegments open) {
  public LogRuntime(
      Disk disk,
      InstantSource clock,
      RandomGenerator random,
      Executor executor,
      ScheduledExecutorService scheduler,
      MeterRegistry meters,
      LogSettings settings) {
    this(
        disk,
        clock,
        random,
        executor,
        scheduler,
        meters,
        settings,
        new HotWindow(settings.hotWindowBytes()),
        new OpenSegments(disk, settings.openSegments()));
  }

  /** The same for one directory. */
  LogRuntime ofDirectory() {
    return new LogRuntime(
        disk, clock, random, executor, scheduler, meters, settings, hot, open.ofDirectory());
  }

  /**
   * Whether so long has passed, by a clock that may be set: set back farther than that, it has
   * passed too, rather than not until the clock is where it was.
   */
  public static boolean passed(long lastMs, long nowMs, long everyMs) {
    return Math.abs(nowMs - lastMs) >= everyMs;
  }
}
