/** The broker process: configuration, ordered start and stop. Wiring only. */
@NullMarked
package io.strandline.broker;

import org.jspecify.annotations.NullMarked;
