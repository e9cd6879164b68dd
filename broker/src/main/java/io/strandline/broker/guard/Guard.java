package io.strandline.broker.guard;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.SecurityUtils;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.security.authorizer.AclEntry;

/** Who may do what. Asked by handlers before they act; cheap, never blocking, any thread. */
public interface Guard {
  boolean allows(RequestContext who, AclOperation operation, ResourceType type, String name);

  /** As {@link #allows}, where a no is not a refusal: nothing is told to whoever audits. */
  default boolean shows(
      RequestContext who, AclOperation operation, ResourceType type, String name) {
    return allows(who, operation, type, name);
  }

  /** Whether there is any resource of the type with which the asker may do that. */
  default boolean allowsAny(RequestContext who, AclOperation operation, ResourceType type) {
    return true;
  }

  /** The rules there are. Fails with SecurityDisabledException when there can be none. */
  default Iterable<AclBinding> rules(AclBindingFilter filter) {
    throw new SecurityDisabledException("No Authorizer is configured.");
  }

  /** Changes when an answer may have changed that was given before. */
  default long version() {
    return 0;
  }

  /** All that the asker may do with the resource, as the bit field of KIP-430. */
  default int operations(RequestContext who, ResourceType type, String name) {
    Set<Byte> allowed = new HashSet<>();
    for (AclOperation operation : AclEntry.supportedOperations(type)) {
      if (shows(who, operation, type, name)) {
        allowed.add(operation.code());
      }
    }
    return Utils.to32BitField(allowed);
  }

  default boolean allowsTopic(RequestContext who, AclOperation operation, String topic) {
    return allows(who, operation, ResourceType.TOPIC, topic);
  }

  default boolean allowsTransaction(RequestContext who, AclOperation operation, String id) {
    return allows(who, operation, ResourceType.TRANSACTIONAL_ID, id);
  }

  default boolean allowsGroup(RequestContext who, AclOperation operation, String group) {
    return allows(who, operation, ResourceType.GROUP, group);
  }

  /** Throws {@link GroupAuthorizationException} unless it is allowed. */
  default void requireGroup(RequestContext who, AclOperation operation, String group) {
    if (!allowsGroup(who, operation, group)) {
      throw GroupAuthorizationException.forGroupId(group);
    }
  }

  /** Throws {@link TopicAuthorizationException} at the first topic for which it is not allowed. */
  default void requireTopics(
      RequestContext who, AclOperation operation, Collection<String> topics) {
    for (String topic : topics) {
      if (!allowsTopic(who, operation, topic)) {
        throw new TopicAuthorizationException(topic);
      }
    }
  }

  /** All that the asker may do with the cluster; nothing unless he may describe it. */
  default int clusterOperations(RequestContext who) {
    return allowsCluster(who, AclOperation.DESCRIBE)
        ? operations(who, ResourceType.CLUSTER, Resource.CLUSTER_NAME)
        : 0;
  }

  default boolean allowsCluster(RequestContext who, AclOperation operation) {
    return allows(who, operation, ResourceType.CLUSTER, Resource.CLUSTER_NAME);
  }

  /** Throws {@link ClusterAuthorizationException} unless it is allowed. */
  default void requireCluster(RequestContext who, AclOperation operation) {
    if (!allowsCluster(who, operation)) {
      throw new ClusterAuthorizationException(
          SecurityUtils.operationName(operation) + " on the cluster");
    }
  }

  /** Everyone may do everything, as in Kafka when no authorizer is configured. */
  static Guard open() {
    return (who, operation, type, name) -> true;
  }
}
