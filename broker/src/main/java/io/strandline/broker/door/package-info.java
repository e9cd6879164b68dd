/** How clients are let in, put together at the start. */
@NullMarked
package io.strandline.broker.door;

import org.jspecify.annotations.NullMarked;
