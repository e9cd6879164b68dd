/** This node in the metadata quorum: its directories, Kafka's raft client and its controller. */
@NullMarked
package io.strandline.broker.control.quorum;

import org.jspecify.annotations.NullMarked;
