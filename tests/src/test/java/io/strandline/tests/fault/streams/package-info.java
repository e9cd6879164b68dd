/**
 * An application of Kafka Streams and the broker it lives on, both killed again and again, and its
 * results beside a computed truth.
 */
@NullMarked
package io.strandline.tests.fault.streams;

import org.jspecify.annotations.NullMarked;
