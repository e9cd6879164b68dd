/** Changes of the replicas in sync, as leaders ask the controller for them. */
@NullMarked
package io.strandline.broker.control.isr;

import org.jspecify.annotations.NullMarked;
