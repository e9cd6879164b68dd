/** What a broker's process used, told by the kernel and by its JVM; and where it used it. */
@NullMarked
package io.strandline.bench.meter;

import org.jspecify.annotations.NullMarked;
