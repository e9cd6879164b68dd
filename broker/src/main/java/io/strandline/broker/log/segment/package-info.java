/**
 * One segment in Kafka's formats: batches, offset index, time index, aborted transactions. For the
 * log's own use; knows nothing of partitions, producers or epochs.
 */
@NullMarked
package io.strandline.broker.log.segment;

import org.jspecify.annotations.NullMarked;
