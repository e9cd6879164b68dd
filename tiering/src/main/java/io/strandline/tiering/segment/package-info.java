/**
 * The object format of a sealed segment: data, indexes, footer. Owns identifiers, checksums and the
 * codec; moves no bytes over a network.
 */
@NullMarked
package io.strandline.tiering.segment;

import org.jspecify.annotations.NullMarked;
