/** Single paths of the broker by themselves: {@code bench/jmh [pattern]}. */
@NullMarked
package io.strandline.bench.jmh;

import org.jspecify.annotations.NullMarked;
