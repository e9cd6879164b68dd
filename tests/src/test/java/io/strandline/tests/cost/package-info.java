/** What the tier costs, asserted on the requests that a store was sent. */
@NullMarked
package io.strandline.tests.cost;

import org.jspecify.annotations.NullMarked;
