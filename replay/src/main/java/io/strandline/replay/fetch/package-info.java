/**
 * Bytes of segments, cache first: coalesced ranged reads, adaptive read-ahead across segments, a
 * byte budget that is fair between readers, cached indexes and manifest views. Knows nothing of
 * what the bytes mean.
 */
@NullMarked
package io.strandline.replay.fetch;

import org.jspecify.annotations.NullMarked;
