/** What is known of the fetchers for whoever watches them. */
@NullMarked
package io.strandline.broker.replica.meter;

import org.jspecify.annotations.NullMarked;
