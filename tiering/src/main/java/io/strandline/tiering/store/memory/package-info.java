/** A store in memory, and faults on demand: for tests and for the seeded simulation. */
@NullMarked
package io.strandline.tiering.store.memory;

import org.jspecify.annotations.NullMarked;
