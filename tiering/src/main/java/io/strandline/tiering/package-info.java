/**
 * The tier of a broker: each partition it leads is sealed, uploaded, committed and released, in
 * this order.
 */
@NullMarked
package io.strandline.tiering;

import org.jspecify.annotations.NullMarked;
