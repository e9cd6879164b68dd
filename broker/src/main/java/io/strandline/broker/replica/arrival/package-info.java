/** Followers that come to a leader. */
@NullMarked
package io.strandline.broker.replica.arrival;

import org.jspecify.annotations.NullMarked;
