/** A cluster of real processes under faults by chance, judged by what its clients saw. */
@NullMarked
package io.strandline.tests.fault.nemesis;

import org.jspecify.annotations.NullMarked;
