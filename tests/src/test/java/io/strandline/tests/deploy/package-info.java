/** What operators start with: the distribution, and Terraform's modules around it. */
@NullMarked
package io.strandline.tests.deploy;

import org.jspecify.annotations.NullMarked;
