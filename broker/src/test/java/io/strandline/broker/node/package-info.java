/** Tests of what holds a node together. */
@org.jspecify.annotations.NullMarked
package io.strandline.broker.node;
