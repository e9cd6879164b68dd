/**
 * What a manifest still names although readers no longer look for it: first in, first out, until
 * its objects are deleted. Knows nothing of versions or writers.
 */
@NullMarked
package io.strandline.tiering.manifest.retired;

import org.jspecify.annotations.NullMarked;
