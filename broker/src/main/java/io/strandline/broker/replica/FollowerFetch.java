package io.strandline.broker.replica;

/**
 * What a follower's fetch says of its replica.
 *
 * @param brokerEpoch of its registration (KIP-903), -1 from one that does not tell
 * @param leaderEpoch that it believes in, -1 from one that does not tell
 * @param logEndOffset the offset it asks for: it holds all below
 * @param logStartOffset of its replica
 * @param arrivedMs when the fetch came
 */
public record FollowerFetch(
    int replica,
    long brokerEpoch,
    int leaderEpoch,
    long logEndOffset,
    long logStartOffset,
    long arrivedMs) {}
