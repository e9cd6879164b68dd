/** Tests of what a share group has been given. */
@org.jspecify.annotations.NullMarked
package io.strandline.broker.share.window;
