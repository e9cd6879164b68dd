/**
 * Tiered segments in the place of others: compacted by key, or small neighbours as one. Reads out
 * of the store, writes one local file at a time, puts it, and has the manifest name it instead.
 * Which records stay is {@link io.strandline.tiering.compact.KeyCompactor}'s affair.
 */
@NullMarked
package io.strandline.tiering.rewrite;

import org.jspecify.annotations.NullMarked;
