package io.strandline.replay.job;

import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * How far a job has come, at one moment.
 *
 * @param partitions by number
 * @param records taken by the sink
 * @param elapsedMs since the job began to run
 */
public record JobProgress(List<Partition> partitions, long records, long elapsedMs) {
  public JobProgress {
    partitions = List.copyOf(partitions);
  }

  /**
   * @param fromOffset where it began
   * @param nextOffset everything below it was taken by the sink, or skipped
   * @param endOffset where it ends
   * @param sizeBytes what lies between begin and end in the bucket, about
   * @param skipped ranges that could not be read
   */
  public record Partition(
      int partition,
      long fromOffset,
      long nextOffset,
      long endOffset,
      long sizeBytes,
      List<Skipped> skipped) {
    public Partition {
      skipped = List.copyOf(skipped);
    }

    double share() {
      return endOffset <= fromOffset
          ? 1
          : (double) (nextOffset - fromOffset) / (endOffset - fromOffset);
    }
  }

  /**
   * @param fromOffset first offset left out
   * @param endOffset the offset after the last left out
   */
  public record Skipped(int partition, long fromOffset, long endOffset, String reason) {}

  public boolean complete() {
    return partitions.stream().allMatch(p -> p.nextOffset >= p.endOffset);
  }

  /** What a later job resumes at ({@link JobSpec#resume()}). */
  public Map<Integer, Long> nextOffsets() {
    return partitions.stream()
        .collect(Collectors.toMap(Partition::partition, Partition::nextOffset));
  }

  public List<Skipped> skipped() {
    return partitions.stream().flatMap(p -> p.skipped.stream()).toList();
  }

  /** Bytes in the bucket, about: offsets are taken to weigh the same. */
  public long totalBytes() {
    return partitions.stream().mapToLong(Partition::sizeBytes).sum();
  }

  public long doneBytes() {
    return partitions.stream().mapToLong(p -> (long) (p.share() * p.sizeBytes())).sum();
  }

  /** At the speed so far; empty before there is one. */
  public OptionalLong remainingMs() {
    long done = doneBytes();
    return done == 0 || elapsedMs == 0
        ? OptionalLong.empty()
        : OptionalLong.of((long) ((double) (totalBytes() - done) * elapsedMs / done));
  }
}
