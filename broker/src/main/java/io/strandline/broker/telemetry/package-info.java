/** What clients tell of themselves (KIP-714): who is asked for what, and where it goes. */
@NullMarked
package io.strandline.broker.telemetry;

import org.jspecify.annotations.NullMarked;
