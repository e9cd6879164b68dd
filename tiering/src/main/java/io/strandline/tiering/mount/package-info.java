/**
 * History of other clusters in this one (design D16): their stores, which are only read, their
 * manifests in the place of ours, and how a manifest of ours takes their segments over.
 */
@NullMarked
package io.strandline.tiering.mount;

import org.jspecify.annotations.NullMarked;
