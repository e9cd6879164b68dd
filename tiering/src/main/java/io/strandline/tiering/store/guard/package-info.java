/**
 * What stands between the tier and a store that may be slow, busy or away: deadline, retry, budget
 * and metrics, one decorator each.
 */
@NullMarked
package io.strandline.tiering.store.guard;

import org.jspecify.annotations.NullMarked;
