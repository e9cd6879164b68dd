/**
 * Whether a batch may be appended, and its numbers written into it. Knows nothing of files or of
 * producers.
 */
@NullMarked
package io.strandline.broker.log.check;

import org.jspecify.annotations.NullMarked;
