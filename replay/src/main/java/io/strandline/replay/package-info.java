/** History back out as record batches: the only place where cache and tiering meet. */
@NullMarked
package io.strandline.replay;

import org.jspecify.annotations.NullMarked;
