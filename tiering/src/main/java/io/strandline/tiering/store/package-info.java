/**
 * The object store as the tier sees it: a port whose contract states what is atomic, what is
 * idempotent and what may be half done.
 */
@NullMarked
package io.strandline.tiering.store;

import org.jspecify.annotations.NullMarked;
