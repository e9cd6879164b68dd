/** What unmodified clients see of a broker: every API they use, over a real connection. */
@NullMarked
package io.strandline.tests.protocol;

import org.jspecify.annotations.NullMarked;
