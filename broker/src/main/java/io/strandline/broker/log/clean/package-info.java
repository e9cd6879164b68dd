/**
 * Compaction of local segments, for topics that never live only in the tier (design D17). Decides
 * what is dirty and swaps files; which records stay is {@code tiering.compact}'s affair.
 */
@NullMarked
package io.strandline.broker.log.clean;

import org.jspecify.annotations.NullMarked;
