/** Logs of this broker's that are gone from its disks, on their way back from the tier. */
@NullMarked
package io.strandline.broker.partition.lost;

import org.jspecify.annotations.NullMarked;
