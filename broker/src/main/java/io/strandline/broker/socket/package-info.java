/** Netty: framing, response order, back-pressure, limits. Knows no API. */
@NullMarked
package io.strandline.broker.socket;

import org.jspecify.annotations.NullMarked;
