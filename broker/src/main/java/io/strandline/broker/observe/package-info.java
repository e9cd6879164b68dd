/** Metrics, health and the admin HTTP endpoint. */
@NullMarked
package io.strandline.broker.observe;

import org.jspecify.annotations.NullMarked;
