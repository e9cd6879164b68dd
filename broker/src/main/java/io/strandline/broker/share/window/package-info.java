/**
 * What a share group has been given of a partition and what became of it (KIP-932): a state machine
 * without clock, threads or input and output.
 */
@NullMarked
package io.strandline.broker.share.window;

import org.jspecify.annotations.NullMarked;
