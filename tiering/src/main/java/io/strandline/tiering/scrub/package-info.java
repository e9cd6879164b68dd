/**
 * Proof that the tier holds what its manifests name: at once on request, and in the background of
 * the partitions a broker leads. Deletes orphans of ours and nothing else.
 */
@NullMarked
package io.strandline.tiering.scrub;

import org.jspecify.annotations.NullMarked;
