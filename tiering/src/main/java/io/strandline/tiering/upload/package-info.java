/** Sealed segments into objects, bounded and resumable. Does not commit and does not delete. */
@NullMarked
package io.strandline.tiering.upload;

import org.jspecify.annotations.NullMarked;
