/**
 * Bytes near the reader: chunks of immutable objects in memory over NVMe. Knows nothing of Kafka or
 * of S3.
 */
@NullMarked
package io.strandline.cache;

import org.jspecify.annotations.NullMarked;
