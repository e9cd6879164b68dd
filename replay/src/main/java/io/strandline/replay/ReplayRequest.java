package io.strandline.replay;

import org.apache.kafka.common.TopicIdPartition;

/**
 * @param offset first offset wanted
 * @param endOffset read no batch that begins at or above it
 * @param maxBytes the answer holds at most so many bytes, but at least one batch if {@code
 *     atLeastOneBatch}
 * @param abortedTransactions whether the answer lists them (read_committed)
 * @param reader who reads, for fairness and read-ahead: one stream of offsets per reader and
 *     partition
 */
public record ReplayRequest(
    TopicIdPartition partition,
    long offset,
    long endOffset,
    int maxBytes,
    boolean atLeastOneBatch,
    boolean abortedTransactions,
    String reader) {}
