/**
 * How a manifest finds one of a million segments with a bounded number of requests: immutable index
 * pages below a bounded head. For the manifest alone; knows nothing of versions or writers.
 */
@NullMarked
package io.strandline.tiering.manifest.index;

import org.jspecify.annotations.NullMarked;
