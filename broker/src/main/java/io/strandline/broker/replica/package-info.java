/**
 * Replication (design D9): what a leader knows of its followers, and how a follower copies a
 * leader's log. Kafka's protocol on both sides, so that a real Kafka broker may be either.
 */
@NullMarked
package io.strandline.broker.replica;

import org.jspecify.annotations.NullMarked;
