/** A log's files before the log is one: written under a name that no start takes for a log. */
@NullMarked
package io.strandline.broker.log.nursery;

import org.jspecify.annotations.NullMarked;
