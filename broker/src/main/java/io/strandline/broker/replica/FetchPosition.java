package io.strandline.broker.replica;

import java.util.OptionalInt;

/**
 * Where a follower goes on.
 *
 * @param leaderEpoch in which it follows
 * @param offset its log end offset
 * @param logStartOffset of its replica
 * @param lastFetchedEpoch of its newest batch, by which the leader sees whether their histories
 *     part (KIP-595); empty when it has none
 */
public record FetchPosition(
    int leaderEpoch, long offset, long logStartOffset, OptionalInt lastFetchedEpoch) {}
