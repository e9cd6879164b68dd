/** Keeps the mutants in {@code tests/mutants} from rotting; {@code tests/mutants/run} runs them. */
@NullMarked
package io.strandline.tests.mutants;

import org.jspecify.annotations.NullMarked;
