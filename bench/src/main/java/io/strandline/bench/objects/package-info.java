/**
 * An object store over HTTP that costs next to nothing and can be slowed down: as much of S3 as the
 * tier speaks.
 */
@NullMarked
package io.strandline.bench.objects;

import org.jspecify.annotations.NullMarked;
