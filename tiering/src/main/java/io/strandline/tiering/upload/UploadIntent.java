package io.strandline.tiering.upload;

import io.strandline.tiering.store.ObjectKey;
import org.apache.kafka.common.TopicIdPartition;

/**
 * That an object may come to be: written down durably before the put begins, taken back once a
 * manifest names the object or it was deleted.
 *
 * @param leaderEpoch of the writer that would commit it
 * @param sinceMs wall clock when written down
 */
public record UploadIntent(
    TopicIdPartition partition,
    ObjectKey object,
    int leaderEpoch,
    long baseOffset,
    long endOffset,
    long sinceMs) {}
