/**
 * When the immutable head of a hot log becomes a {@link io.strandline.tiering.seal.SealedSegment}.
 * Does not upload.
 */
@NullMarked
package io.strandline.tiering.seal;

import org.jspecify.annotations.NullMarked;
