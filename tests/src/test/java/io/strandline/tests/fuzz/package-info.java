/**
 * Hostile bytes for every decoder: inputs begin as valid ones, are damaged by chance, and have
 * their checksums mended so that the damage gets past them. One seed is one input. See
 * docs/testing.md.
 */
@NullMarked
package io.strandline.tests.fuzz;

import org.jspecify.annotations.NullMarked;
