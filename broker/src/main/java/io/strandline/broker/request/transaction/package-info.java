/** What producers, brokers and operators ask of transactions. */
@NullMarked
package io.strandline.broker.request.transaction;

import org.jspecify.annotations.NullMarked;
