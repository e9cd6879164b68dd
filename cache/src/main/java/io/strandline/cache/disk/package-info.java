/**
 * The disk tier: chunks in fixed slots of preallocated slab files, checksummed, admitted on second
 * sight. Owns its files; never fails a read.
 */
@NullMarked
package io.strandline.cache.disk;

import org.jspecify.annotations.NullMarked;
