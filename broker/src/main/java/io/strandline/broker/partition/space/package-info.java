/**
 * How full the disks are: when local bytes have to go, and when clients are to wait. Frees nothing
 * itself.
 */
@NullMarked
package io.strandline.broker.partition.space;

import org.jspecify.annotations.NullMarked;
