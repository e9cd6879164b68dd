/**
 * What each API does: a dispatch table from API key to handler, and the one place where exceptions
 * become protocol errors.
 */
@NullMarked
package io.strandline.broker.request;

import org.jspecify.annotations.NullMarked;
