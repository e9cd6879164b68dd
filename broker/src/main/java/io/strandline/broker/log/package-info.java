/**
 * The hot log: segments, indexes, append, read, recovery, truncation, producer state. Knows nothing
 * of leadership or of watermarks but what it is told.
 */
@NullMarked
package io.strandline.broker.log;

import org.jspecify.annotations.NullMarked;
