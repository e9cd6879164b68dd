/**
 * The file system as the hot log uses it: one port for every step that matters after a crash. Knows
 * nothing of batches.
 */
@NullMarked
package io.strandline.broker.log.disk;

import org.jspecify.annotations.NullMarked;
