/**
 * What a broker does so that its cluster can be built again from the bucket, and what it does when
 * it was: logs that come back from the tier, backups of the metadata.
 */
@NullMarked
package io.strandline.broker.restore;

import org.jspecify.annotations.NullMarked;
