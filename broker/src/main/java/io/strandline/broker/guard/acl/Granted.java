package io.strandline.broker.guard.acl;

import java.net.InetAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;

/**
 * What was granted under one state of the ACLs, so that produce and fetch need not ask again.
 * Refusals are not kept: each is told to whoever audits. Any thread.
 */
final class Granted {
  /** So many and no more: then it is forgotten and begun anew. */
  static final int GRANTS_MAX = 10_000;

  private record Grant(
      KafkaPrincipal principal,
      InetAddress host,
      AclOperation operation,
      ResourceType type,
      String name) {}

  private final Set<Grant> grants = ConcurrentHashMap.newKeySet();
  private final long version;

  Granted(long version) {
    this.version = version;
  }

  long version() {
    return version;
  }

  boolean has(RequestContext who, AclOperation operation, ResourceType type, String name) {
    return grants.contains(grant(who, operation, type, name));
  }

  void add(RequestContext who, AclOperation operation, ResourceType type, String name) {
    if (grants.size() >= GRANTS_MAX) {
      grants.clear();
    }
    grants.add(grant(who, operation, type, name));
  }

  private static Grant grant(
      RequestContext who, AclOperation operation, ResourceType type, String name) {
    return new Grant(who.principal, who.clientAddress, operation, type, name);
  }
}
