/**
 * Share groups (KIP-932): where their state is kept, which is Kafka's share coordinator on our
 * partitions, and the share partitions, which give records out and take acknowledgements.
 */
@NullMarked
package io.strandline.broker.share;

import org.jspecify.annotations.NullMarked;
