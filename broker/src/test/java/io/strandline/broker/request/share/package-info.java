/** Tests of the handlers of share groups, without sockets. */
@org.jspecify.annotations.NullMarked
package io.strandline.broker.request.share;
