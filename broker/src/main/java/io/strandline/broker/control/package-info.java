/**
 * The cluster as this broker sees it: KRaft, the embedded controller, lifecycle, forwarding. The
 * only place that may touch Kafka's raft and controller classes.
 */
@NullMarked
package io.strandline.broker.control;

import org.jspecify.annotations.NullMarked;
