/** Plans and a running cluster: what it tells of itself, and carrying them out in it. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.move;
