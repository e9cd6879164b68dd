/** The object store as a broker takes it into use and looks after it. */
@NullMarked
package io.strandline.broker.store;

import org.jspecify.annotations.NullMarked;
