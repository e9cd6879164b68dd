/**
 * What clients do to a broker while it is measured: Apache Kafka's own client, the same for all.
 */
@NullMarked
package io.strandline.bench.load;

import org.jspecify.annotations.NullMarked;
