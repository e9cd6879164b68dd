/** A cluster of processes on this machine, to try things out. */
@NullMarked
package io.strandline.broker.local;

import org.jspecify.annotations.NullMarked;
