/** Kafka's group coordinator, hosted on our own partitions. */
@NullMarked
package io.strandline.broker.group;

import org.jspecify.annotations.NullMarked;
