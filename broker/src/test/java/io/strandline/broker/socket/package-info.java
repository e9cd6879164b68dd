@NullMarked
package io.strandline.broker.socket;

import org.jspecify.annotations.NullMarked;
