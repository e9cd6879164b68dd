/** Topics of this cluster whose history is another cluster's: restored here, or only shown. */
@NullMarked
package io.strandline.broker.mount;

import org.jspecify.annotations.NullMarked;
