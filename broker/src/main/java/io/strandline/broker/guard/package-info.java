/** Authentication, authorization, quotas, limits. */
@NullMarked
package io.strandline.broker.guard;

import org.jspecify.annotations.NullMarked;
