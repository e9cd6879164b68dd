package io.strandline.replay.job;

import java.io.IOException;
import java.util.List;

/** Where a job's records go. */
@FunctionalInterface
public interface RecordSink {
  /**
   * Takes some records of one partition, in order of offsets. May block: the job reads no faster
   * than its sink takes. Called by as many threads as the job reads partitions at once, never by
   * two for the same partition.
   *
   * @throws IOException ends the job; what was not taken is not counted as done
   */
  void accept(int partition, List<HistoryRecord> records) throws IOException;

  /**
   * Told of a range that is left out, before anything behind it is given. Called as {@link #accept}
   * is.
   */
  default void skipped(JobProgress.Skipped range) {}
}
