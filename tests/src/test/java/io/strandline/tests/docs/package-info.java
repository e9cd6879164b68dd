/** The documentation: its links lead somewhere, and its commands do what it says. */
@NullMarked
package io.strandline.tests.docs;

import org.jspecify.annotations.NullMarked;
