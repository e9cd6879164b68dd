@NullMarked
package io.strandline.broker.log;

import org.jspecify.annotations.NullMarked;
