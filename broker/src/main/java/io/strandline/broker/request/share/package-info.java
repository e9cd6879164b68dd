/** Share groups on the wire (KIP-932): members, offsets, sessions, fetches, acknowledgements. */
@NullMarked
package io.strandline.broker.request.share;

import org.jspecify.annotations.NullMarked;
