/** What a client asks first: which APIs, which brokers, which topics, who leads. */
@NullMarked
package io.strandline.broker.request.meta;

import org.jspecify.annotations.NullMarked;
