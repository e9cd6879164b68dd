@NullMarked
package io.strandline.broker.control.snapshot;

import org.jspecify.annotations.NullMarked;
