/** Groups: membership, offsets, descriptions, where the coordinator is. */
@NullMarked
package io.strandline.broker.request.group;

import org.jspecify.annotations.NullMarked;
