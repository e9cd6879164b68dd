/**
 * Promises kept by real processes: brokers that are started, killed and started again, under
 * unmodified clients.
 */
@NullMarked
package io.strandline.tests.process;

import org.jspecify.annotations.NullMarked;
