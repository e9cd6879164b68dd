/**
 * The plan of the house, held by failing tests: who may import whom, and how large a thing may
 * grow.
 */
@NullMarked
package io.strandline.tests.architecture;

import org.jspecify.annotations.NullMarked;
