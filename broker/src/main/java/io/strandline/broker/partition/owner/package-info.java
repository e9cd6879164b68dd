/** How a partition has one owner without a thread of its own (design D10). */
@NullMarked
package io.strandline.broker.partition.owner;

import org.jspecify.annotations.NullMarked;
