/** {@code strandline doctor}: on nodes that are well, and on all that can be wrong. */
@NullMarked
package io.strandline.tests.doctor;

import org.jspecify.annotations.NullMarked;
