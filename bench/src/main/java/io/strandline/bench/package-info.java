/**
 * The numbers we publish: Strandline and Apache Kafka in alternating runs on one machine, under one
 * client, both warm.
 */
@NullMarked
package io.strandline.bench;

import org.jspecify.annotations.NullMarked;
