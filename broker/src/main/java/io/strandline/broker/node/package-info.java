/** What a node of any role is made of: order of start and stop, meters, health, admin endpoint. */
@NullMarked
package io.strandline.broker.node;

import org.jspecify.annotations.NullMarked;
