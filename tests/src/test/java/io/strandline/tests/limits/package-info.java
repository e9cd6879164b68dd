/** What clients can do to a broker that has not been configured against them. */
@NullMarked
package io.strandline.tests.limits;

import org.jspecify.annotations.NullMarked;
