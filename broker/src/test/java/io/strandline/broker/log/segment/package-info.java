@NullMarked
package io.strandline.broker.log.segment;

import org.jspecify.annotations.NullMarked;
