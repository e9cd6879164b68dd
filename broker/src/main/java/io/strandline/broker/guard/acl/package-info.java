/** What a principal may do, by Kafka's authorizer and the ACLs of the cluster. */
@NullMarked
package io.strandline.broker.guard.acl;

import org.jspecify.annotations.NullMarked;
