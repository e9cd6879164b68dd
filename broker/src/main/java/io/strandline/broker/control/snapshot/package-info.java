/**
 * The whole metadata of a cluster at one offset, in Kafka's own snapshot format: taken from what
 * this node knows, read back, and changed so that another node can begin with it.
 */
@NullMarked
package io.strandline.broker.control.snapshot;

import org.jspecify.annotations.NullMarked;
