package io.strandline.broker.log;

/**
 * What an append did.
 *
 * @param firstOffset of the records, or -1 when nothing was appended
 * @param lastOffset of the records, or -1 when nothing was appended
 * @param maxTimestampMs largest timestamp, or -1
 * @param logAppendTimeMs the time written into the batch when the topic asks for it, else -1
 * @param logStartOffset at the time of the append
 * @param sizeBytes written to the file; 0 for a duplicate
 * @param recordCount as the batch headers tell; compacted batches of followers may hold fewer
 *     offsets
 * @param duplicate the offsets are those of an earlier append of the same batch (idempotent
 *     producer); nothing was written
 */
public record Appended(
    long firstOffset,
    long lastOffset,
    long maxTimestampMs,
    long logAppendTimeMs,
    long logStartOffset,
    int sizeBytes,
    int recordCount,
    boolean duplicate) {}
