package io.strandline.broker.guard.acl;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.ImageListener;
import io.strandline.broker.guard.Guard;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.ClusterResource;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.image.AclsDelta;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.metadata.authorizer.ClusterMetadataAuthorizer;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.security.authorizer.AclEntry;
import org.apache.kafka.security.authorizer.AuthorizerUtils;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizationResult;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerConfigs;
import org.apache.kafka.server.network.KafkaAuthorizerServerInfo;

/**
 * The guard that {@code authorizer.class.name} names: Kafka's {@link StandardAuthorizer}, which
 * gets the ACLs of the metadata here, or one of the user's. Refuses everything until it is {@link
 * #ready}.
 */
public final class AclGuard implements Guard, ImageListener, AutoCloseable {
  private static final String ROLE = "broker";

  private final Plugin<Authorizer> plugin;
  private final Authorizer authorizer;
  private final boolean keeps;
  private final CompletableFuture<Void> ready;
  private final Set<Uuid> ids = new HashSet<>(); // of the loader's thread, as loaded is
  private boolean loaded;
  private volatile Granted granted = new Granted(1);

  private AclGuard(Plugin<Authorizer> plugin, CompletableFuture<Void> ready) {
    this.plugin = plugin;
    this.authorizer = plugin.get();
    this.keeps = authorizer.getClass() == StandardAuthorizer.class;
    this.ready = ready;
  }

  /**
   * Begins to follow the ACLs of the cluster.
   *
   * @return empty when no authorizer is configured
   * @throws KafkaException when it can not be made, with the reason
   */
  public static Optional<AclGuard> of(ControlPlane control) {
    AbstractKafkaConfig config = control.kafkaConfig();
    String key = ServerConfigs.AUTHORIZER_CLASS_NAME_CONFIG;
    String type = config.getString(key);
    if (type == null || type.isEmpty()) {
      return Optional.empty();
    }
    Plugin<Authorizer> plugin;
    try {
      plugin =
          AuthorizerUtils.createAuthorizer(
              type, config.originals(), control.kafkaMetrics(), key, ROLE);
    } catch (ClassNotFoundException e) {
      throw new KafkaException(key + " names a class that is not there: " + type, e);
    }
    AclGuard guard = new AclGuard(plugin, start(plugin.get(), control));
    control.listenToImages(guard);
    return Optional.of(guard);
  }

  private static CompletableFuture<Void> start(Authorizer authorizer, ControlPlane control) {
    AbstractKafkaConfig config = control.kafkaConfig();
    List<Endpoint> endpoints = control.listeners();
    Endpoint brokers =
        endpoints.stream()
            .filter(e -> e.listener().equalsIgnoreCase(config.interBrokerListenerName().value()))
            .findFirst()
            .orElse(endpoints.get(0));
    List<CompletableFuture<Void>> futures = new ArrayList<>();
    for (CompletionStage<Void> stage :
        authorizer
            .start(
                new KafkaAuthorizerServerInfo(
                    new ClusterResource(control.view().clusterId()),
                    config.nodeId(),
                    endpoints,
                    brokers,
                    List.of()))
            .values()) {
      futures.add(stage.toCompletableFuture());
    }
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new));
  }

  /** Completes when all ACLs of the start are known. */
  public CompletableFuture<Void> ready() {
    return ready;
  }

  /** For parts of Kafka that ask it themselves. */
  public Plugin<Authorizer> plugin() {
    return plugin;
  }

  /** Whether who did not say who he is may act for the cluster, as a broker does. */
  public boolean letsAnybodyAct() {
    RequestContext nobody =
        new RequestContext(
            new RequestHeader(ApiKeys.BROKER_REGISTRATION, (short) 0, "", 0),
            "",
            InetAddress.getLoopbackAddress(),
            KafkaPrincipal.ANONYMOUS,
            ListenerName.normalised("CONTROLLER"),
            SecurityProtocol.PLAINTEXT,
            ClientInformation.EMPTY,
            false);
    return shows(nobody, AclOperation.CLUSTER_ACTION, ResourceType.CLUSTER, Resource.CLUSTER_NAME);
  }

  // ---- questions

  @Override
  public boolean allows(
      RequestContext who, AclOperation operation, ResourceType type, String name) {
    return ask(who, operation, type, name, true);
  }

  @Override
  public boolean shows(RequestContext who, AclOperation operation, ResourceType type, String name) {
    return ask(who, operation, type, name, false);
  }

  private boolean ask(
      RequestContext who, AclOperation operation, ResourceType type, String name, boolean audit) {
    Granted now = granted; // before the question: an answer of older ACLs must not stay
    if (keeps && now.has(who, operation, type, name)) {
      return true;
    }
    Action action =
        new Action(
            operation, new ResourcePattern(type, name, PatternType.LITERAL), 1, audit, audit);
    boolean allowed =
        authorizer.authorize(who, List.of(action)).get(0) == AuthorizationResult.ALLOWED;
    if (keeps && allowed) {
      now.add(who, operation, type, name);
    }
    return allowed;
  }

  @Override
  public boolean allowsAny(RequestContext who, AclOperation operation, ResourceType type) {
    return authorizer.authorizeByResourceType(who, operation, type) == AuthorizationResult.ALLOWED;
  }

  @Override
  public int operations(RequestContext who, ResourceType type, String name) {
    ResourcePattern resource = new ResourcePattern(type, name, PatternType.LITERAL);
    List<AclOperation> known = List.copyOf(AclEntry.supportedOperations(type));
    List<AuthorizationResult> answers =
        authorizer.authorize(
            who, known.stream().map(o -> new Action(o, resource, 1, false, false)).toList());
    Set<Byte> allowed = new HashSet<>();
    for (int i = 0; i < known.size(); i++) {
      if (answers.get(i) == AuthorizationResult.ALLOWED) {
        allowed.add(known.get(i).code());
      }
    }
    return Utils.to32BitField(allowed);
  }

  @Override
  public Iterable<AclBinding> rules(AclBindingFilter filter) {
    return authorizer.acls(filter);
  }

  @Override
  public long version() {
    return granted.version();
  }

  // ---- changes

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    AclsDelta changed = delta.aclsDelta();
    if (!(authorizer instanceof ClusterMetadataAuthorizer acls) || (loaded && changed == null)) {
      return;
    }
    if (!loaded) {
      loaded = true;
      load(acls, image);
      acls.completeInitialLoad();
    } else {
      apply(acls, changed, image);
    }
    granted = new Granted(granted.version() + 1);
  }

  /** In order, so that a DENY is never without the ALLOW that follows it, nor the reverse. */
  private void apply(ClusterMetadataAuthorizer acls, AclsDelta changed, MetadataImage image) {
    boolean again =
        changed.changes().entrySet().stream()
            .anyMatch(change -> change.getValue().isPresent() && ids.contains(change.getKey()));
    if (again) { // as when a snapshot was loaded: all at once
      load(acls, image);
      return;
    }
    changed
        .changes()
        .forEach(
            (id, acl) -> {
              if (acl.isPresent()) {
                ids.add(id);
                acls.addAcl(id, acl.get());
              } else if (ids.remove(id)) {
                acls.removeAcl(id);
              }
            });
  }

  private void load(ClusterMetadataAuthorizer acls, MetadataImage image) {
    acls.loadSnapshot(image.acls().acls());
    ids.clear();
    ids.addAll(image.acls().acls().keySet());
  }

  @Override
  public void close() {
    Utils.closeQuietly(plugin, "authorizer");
  }
}
