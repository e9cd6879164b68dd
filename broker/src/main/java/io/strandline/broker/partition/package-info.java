/**
 * One partition, one owner: leader epoch, high watermark, last stable offset, append, read from hot
 * log or replay, parked requests.
 */
@NullMarked
package io.strandline.broker.partition;

import org.jspecify.annotations.NullMarked;
