/**
 * Concurrent transactional and plain clients through kills and pauses of a broker, and a checker of
 * what all of them saw.
 */
@NullMarked
package io.strandline.tests.fault.exactly;

import org.jspecify.annotations.NullMarked;
