/** What is counted of topics and replicas, under Kafka's names. */
@NullMarked
package io.strandline.broker.partition.meter;

import org.jspecify.annotations.NullMarked;
