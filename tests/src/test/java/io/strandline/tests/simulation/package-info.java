/**
 * Runs of the real log, tier and manifest under a seed: time, chance, scheduling, the object
 * store's faults and crashes all follow from one number. See docs/testing.md.
 */
@NullMarked
package io.strandline.tests.simulation;

import org.jspecify.annotations.NullMarked;
