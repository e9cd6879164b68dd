/** A store in a bucket of S3 or of what speaks its protocol: the only place with the AWS SDK. */
@NullMarked
package io.strandline.tiering.store.s3;

import org.jspecify.annotations.NullMarked;
