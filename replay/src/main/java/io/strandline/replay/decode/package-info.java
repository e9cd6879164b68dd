/** Record batches in bytes cut anywhere: boundaries, checksums, look-up by timestamp. No I/O. */
@NullMarked
package io.strandline.replay.decode;

import org.jspecify.annotations.NullMarked;
