/**
 * An HTTP client for the bodies of ranged GETs, beside the SDK's: the operating system reads them
 * straight into the memory of whoever wants them, where the SDK's own makes an array for each 8
 * KiB. It signs nothing, tries nothing twice and knows nothing of S3.
 */
@NullMarked
package io.strandline.tiering.store.s3.receive;

import org.jspecify.annotations.NullMarked;
