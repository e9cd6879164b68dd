/** Tests of the handlers of records, without sockets. */
@org.jspecify.annotations.NullMarked
package io.strandline.broker.request.data;
