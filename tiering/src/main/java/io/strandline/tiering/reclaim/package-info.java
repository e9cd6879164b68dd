/**
 * What may go: local bytes that a committed manifest covers, expired segments, orphans. Never
 * uploads.
 */
@NullMarked
package io.strandline.tiering.reclaim;

import org.jspecify.annotations.NullMarked;
