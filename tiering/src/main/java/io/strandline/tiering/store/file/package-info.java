/** A store in a directory: the embedded default, and what a shared file system can be used as. */
@NullMarked
package io.strandline.tiering.store.file;

import org.jspecify.annotations.NullMarked;
