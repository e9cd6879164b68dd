/**
 * The memory tier: S3-FIFO by bytes over pooled slabs, single flight, counted references. Owns the
 * byte budget; knows the tier below only as a {@link io.strandline.cache.ChunkShelf}.
 */
@NullMarked
package io.strandline.cache.memory;

import org.jspecify.annotations.NullMarked;
