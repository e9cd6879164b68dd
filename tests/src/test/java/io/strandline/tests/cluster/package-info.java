/** Clusters of several nodes in processes of their own, under unmodified clients. */
@NullMarked
package io.strandline.tests.cluster;

import org.jspecify.annotations.NullMarked;
