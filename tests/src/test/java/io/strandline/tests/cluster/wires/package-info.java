/**
 * The network between the nodes of a cluster in the tests, by proxies that are slow, hold back or
 * cut.
 */
@NullMarked
package io.strandline.tests.cluster.wires;

import org.jspecify.annotations.NullMarked;
