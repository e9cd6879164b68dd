/** Tests of partitions and of their owner. */
@org.jspecify.annotations.NullMarked
package io.strandline.broker.partition.move;
