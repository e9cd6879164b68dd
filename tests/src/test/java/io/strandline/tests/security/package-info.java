/** Who is let in, and what he may do: real clients over every protocol and mechanism. */
@NullMarked
package io.strandline.tests.security;

import org.jspecify.annotations.NullMarked;
