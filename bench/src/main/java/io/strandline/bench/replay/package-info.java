/** Replay from the tier, beside a bare client that reads the same objects. */
@NullMarked
package io.strandline.bench.replay;

import org.jspecify.annotations.NullMarked;
