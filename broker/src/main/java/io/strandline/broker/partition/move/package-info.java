/** Replicas on their way between the log directories of this broker (KIP-113, KIP-858). */
@NullMarked
package io.strandline.broker.partition.move;

import org.jspecify.annotations.NullMarked;
