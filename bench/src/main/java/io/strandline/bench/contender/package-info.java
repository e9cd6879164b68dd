/**
 * The brokers under measurement, each in a process of its own and started as its users start it.
 */
@NullMarked
package io.strandline.bench.contender;

import org.jspecify.annotations.NullMarked;
