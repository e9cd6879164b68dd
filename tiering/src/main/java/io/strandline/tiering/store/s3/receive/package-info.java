/**
 * An HTTP client for the bodies of ranged GETs, below the SDK: it reads large pieces into memory
 * that is used again, where the SDK's own makes an array for each 8 KiB. What it does not do itself
 * goes to the SDK's.
 */
@NullMarked
package io.strandline.tiering.store.s3.receive;

import org.jspecify.annotations.NullMarked;
