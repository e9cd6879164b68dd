/** Who a peer is: TLS, SASL and the principals that come of them, per listener. */
@NullMarked
package io.strandline.broker.guard.identity;

import org.jspecify.annotations.NullMarked;
