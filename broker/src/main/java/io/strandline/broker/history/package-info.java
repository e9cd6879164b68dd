/**
 * A replay broker's partitions: led elsewhere, read here from the tier, and above its end through
 * their leaders (design D18).
 */
@NullMarked
package io.strandline.broker.history;

import org.jspecify.annotations.NullMarked;
