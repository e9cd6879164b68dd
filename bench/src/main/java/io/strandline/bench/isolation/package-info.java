/** What a replay does to others: clients at the end of a log, with and without a replay beside. */
@NullMarked
package io.strandline.bench.isolation;

import org.jspecify.annotations.NullMarked;
