@NullMarked
package io.strandline.broker.replica;

import org.jspecify.annotations.NullMarked;
