/**
 * What each user, client id and address may use of this broker (KIP-13, 55, 124, 219, 599, 612),
 * counted by Kafka's own quota managers.
 */
@NullMarked
package io.strandline.broker.guard.quota;

import org.jspecify.annotations.NullMarked;
