package io.strandline.broker.replica;

import io.strandline.broker.log.PartitionLog.EpochEnd;
import java.util.Optional;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * What a leader says of one partition.
 *
 * @param records from the offset asked for on; the last batch may be torn
 * @param highWatermark,logStartOffset of the leader's replica
 * @param diverging where the leader's largest epoch that is not above the follower's ends, when the
 *     histories part there; no records then
 * @param tier how far the partition is tiered; empty when the leader does not say
 */
public record FetchAnswer(
    Errors error,
    MemoryRecords records,
    long highWatermark,
    long logStartOffset,
    Optional<EpochEnd> diverging,
    Optional<TierMark> tier) {}
