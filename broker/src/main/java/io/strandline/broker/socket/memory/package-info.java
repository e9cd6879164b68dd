/** Bounds on the memory that clients make the node hold. Knows neither Netty nor requests. */
@NullMarked
package io.strandline.broker.socket.memory;

import org.jspecify.annotations.NullMarked;
