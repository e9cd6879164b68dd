/** What is done for partitions now and then: flushes, checkpoints, retention, local compaction. */
@NullMarked
package io.strandline.broker.partition.keep;

import org.jspecify.annotations.NullMarked;
