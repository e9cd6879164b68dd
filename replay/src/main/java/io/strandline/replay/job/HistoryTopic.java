package io.strandline.replay.job;

import java.util.List;

/**
 * A topic in the bucket.
 *
 * @param id Kafka's, base64url
 * @param name the last one known; a deleted and re-created topic has another id
 * @param partitions those that hold something, by number
 */
public record HistoryTopic(String id, String name, List<Range> partitions) {
  public HistoryTopic {
    partitions = List.copyOf(partitions);
  }

  /**
   * What the bucket holds of a partition.
   *
   * @param startOffset the first offset
   * @param endOffset the offset after the last
   * @param sizeBytes of all its segments
   */
  public record Range(int partition, long startOffset, long endOffset, long sizeBytes) {}
}
