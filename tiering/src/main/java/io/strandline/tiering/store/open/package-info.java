/** Opens the store that a configuration names, with all its guards. */
@NullMarked
package io.strandline.tiering.store.open;

import org.jspecify.annotations.NullMarked;
