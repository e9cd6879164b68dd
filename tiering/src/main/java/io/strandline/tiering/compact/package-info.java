/**
 * Key compaction as one algorithm over ports, for local files and for the tier. Decides which
 * records stay; moves no files and swaps no segments.
 */
@NullMarked
package io.strandline.tiering.compact;

import org.jspecify.annotations.NullMarked;
