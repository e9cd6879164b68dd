/**
 * What operators ask: the cluster, configurations, log directories; and what the controller does.
 */
@NullMarked
package io.strandline.broker.request.admin;

import org.jspecify.annotations.NullMarked;
