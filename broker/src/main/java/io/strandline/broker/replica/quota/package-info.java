/** How much of the network replication may use (KIP-73). */
@NullMarked
package io.strandline.broker.replica.quota;

import org.jspecify.annotations.NullMarked;
