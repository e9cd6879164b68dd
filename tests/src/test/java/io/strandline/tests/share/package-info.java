/** Share groups as Kafka's own clients see them. */
@NullMarked
package io.strandline.tests.share;

import org.jspecify.annotations.NullMarked;
