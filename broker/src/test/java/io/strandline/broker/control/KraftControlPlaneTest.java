package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.BrokerHeartbeatRequest;
import org.apache.kafka.common.requests.BrokerRegistrationRequest;
import org.apache.kafka.common.requests.BrokerRegistrationResponse;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A combined node against Kafka's real controller. */
@Timeout(120)
class KraftControlPlaneTest {
  private static ControlConfig config(Path dir, Map<String, String> more) {
    Map<String, String> all = new HashMap<>();
    all.put("log.dirs", dir.resolve("a").toString());
    all.put("listeners", "PLAINTEXT://127.0.0.1:0");
    all.putAll(more);
    return new ControlConfig(all);
  }

  /** Opens, registers and unfences a node. */
  private static KraftControlPlane start(Path dir, Recorder recorder) throws Exception {
    KraftControlPlane plane =
        KraftControlPlane.open(config(dir, Map.of()), Set.of(), Uuid::randomUuid);
    plane.loaded().get(30, TimeUnit.SECONDS);
    plane.listen(recorder);
    plane.register(new Joining(Map.of("PLAINTEXT", 19092), Optional.of("a store")));
    plane.caughtUp().get(30, TimeUnit.SECONDS);
    plane.readyToServe().get(30, TimeUnit.SECONDS);
    return plane;
  }

  private static RequestContext client(ApiKeys api, short version) throws Exception {
    RequestHeader header = new RequestHeader(api, version, "test", 7);
    return new RequestContext(
        header,
        "1",
        InetAddress.getLoopbackAddress(),
        Optional.empty(),
        KafkaPrincipal.ANONYMOUS,
        ListenerName.normalised("PLAINTEXT"),
        SecurityProtocol.PLAINTEXT,
        ClientInformation.EMPTY,
        false,
        Optional.of(new DefaultKafkaPrincipalBuilder(null, null)));
  }

  @Test
  void startsCreatesATopicAndKeepsItsIdentityOverARestart(@TempDir Path dir) throws Exception {
    Recorder recorder = new Recorder();
    Uuid topicId;
    Map<Path, Uuid> directories;
    String clusterId;
    try (KraftControlPlane plane = start(dir, recorder)) {
      clusterId = plane.view().clusterId();
      directories = plane.directories();
      assertThat(plane.peers()).as("its clients are told apart").isSameAs(plane.peers());
      short version = ApiKeys.CREATE_TOPICS.latestVersion();
      RequestContext context = client(ApiKeys.CREATE_TOPICS, version);
      CreateTopicsRequest request =
          new CreateTopicsRequest.Builder(createTopic("weather", 3)).build(version);
      CreateTopicsResponse response =
          (CreateTopicsResponse)
              plane
                  .forward(context, request.serializeWithHeader(context.header))
                  .get(30, TimeUnit.SECONDS);
      assertThat(response.data().topics().find("weather").errorCode())
          .isEqualTo(Errors.NONE.code());
      topicId = response.data().topics().find("weather").topicId();
      recorder.await(seen -> seen.now.topicId("weather").equals(topicId));

      Seen seen = recorder.last(change -> !change.mine.elected().isEmpty());
      assertThat(seen.mine.elected()).hasSize(3);
      assertThat(seen.mine.directories().values())
          .containsOnly(directories.values().iterator().next());
      ClusterView view = plane.view();
      assertThat(view.partitionCount("weather")).hasValue(3);
      assertThat(view.partition(new TopicPartition("weather", 2)).orElseThrow().leader())
          .isEqualTo(view.nodeId());
      assertThat(view.logConfig("weather").retentionMs).isEqualTo(12345);
      assertThat(view.logConfig("nonesuch").retentionMs).isEqualTo(7 * 24 * 3600 * 1000L);
      assertThat(view.brokers("PLAINTEXT")).extracting(n -> n.port()).containsExactly(19092);
      assertThat(
              view.topicMetadata(Set.of("weather"), "PLAINTEXT", false, true).get(0).partitions())
          .hasSize(3);
      assertThat(plane.serving()).isTrue();
      assertThat(
              plane
                  .apiVersions(Set.of(ApiKeys.METADATA, ApiKeys.CREATE_TOPICS), false)
                  .data()
                  .apiKeys())
          .hasSize(2);
      plane.controlledShutdown().get(30, TimeUnit.SECONDS);
    }
    Recorder again = new Recorder();
    try (KraftControlPlane plane = start(dir, again)) {
      assertThat(plane.view().clusterId()).isEqualTo(clusterId);
      assertThat(plane.directories()).isEqualTo(directories);
      assertThat(plane.view().topicId("weather")).isEqualTo(topicId);
      assertThat(again.all.get(0).before.offset()).isEqualTo(-1);
    }
  }

  @Test
  void findsItsControllerWhenAnotherTookItsPort(@TempDir Path dir) throws Exception {
    start(dir, new Recorder()).close();
    Path file = dir.resolve("a").resolve("strandline.controller.port");
    int before = Integer.parseInt(Files.readString(file));
    try (ServerSocket other = new ServerSocket(before, 1, InetAddress.getLoopbackAddress());
        KraftControlPlane plane = start(dir, new Recorder())) {
      // The one that took the port accepts and never answers: a heartbeat may be lost to it first.
      awaitServing(plane);
      assertThat(Integer.parseInt(Files.readString(file)))
          .isNotEqualTo(before)
          .isNotEqualTo(other.getLocalPort());
    }
    // And remembers the new one.
    start(dir, new Recorder()).close();
  }

  @Test
  void aNodeThatTheControllerFencedDoesNotServe(@TempDir Path dir) throws Exception {
    try (KraftControlPlane plane = start(dir, new Recorder())) {
      assertThat(plane.serving()).isTrue();
      int node = plane.view().nodeId();
      // Asked where it is seen: with the next heartbeat the controller lets it in again.
      CompletableFuture<Boolean> serves =
          plane.seen(view -> view.fenced(node)).thenApply(view -> plane.serving());
      plane
          .send(
              new BrokerHeartbeatRequest.Builder(
                  new BrokerHeartbeatRequestData()
                      .setBrokerId(node)
                      .setBrokerEpoch(plane.brokerEpoch())
                      .setCurrentMetadataOffset(plane.view().offset())
                      .setWantFence(true)))
          .get(30, TimeUnit.SECONDS);
      assertThat(serves.get(30, TimeUnit.SECONDS)).isFalse();
      awaitServing(plane);
    }
  }

  /** Another process has this node's id, and a session that outlasts our patience. */
  @Test
  void whyARegistrationWasRefusedIsSaid(@TempDir Path dir) throws Exception {
    Map<String, String> patience =
        Map.of(
            "broker.session.timeout.ms", "600000",
            "initial.broker.registration.timeout.ms", "5000");
    try (KraftControlPlane plane =
        KraftControlPlane.open(config(dir, patience), Set.of(), Uuid::randomUuid)) {
      plane.loaded().get(30, TimeUnit.SECONDS);
      registerAnother(plane);
      plane.register(new Joining(Map.of("PLAINTEXT", 19092), Optional.empty()));
      assertThatThrownBy(() -> plane.caughtUp().get(60, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(ControlException.class)
          .hasMessageContaining("initial.broker.registration.timeout.ms")
          .hasMessageContaining("DUPLICATE_BROKER_REGISTRATION");
    }
  }

  private static void registerAnother(KraftControlPlane plane) throws Exception {
    BrokerRegistrationRequestData other =
        new BrokerRegistrationRequestData()
            .setBrokerId(plane.view().nodeId())
            .setClusterId(plane.view().clusterId())
            .setIncarnationId(Uuid.randomUuid())
            .setLogDirs(List.of(Uuid.randomUuid()));
    other
        .listeners()
        .add(
            new BrokerRegistrationRequestData.Listener()
                .setName("PLAINTEXT")
                .setHost("127.0.0.1")
                .setPort(19093));
    plane
        .view()
        .finalizedFeatures()
        .forEach(
            (name, level) ->
                other
                    .features()
                    .add(
                        new BrokerRegistrationRequestData.Feature()
                            .setName(name)
                            .setMinSupportedVersion((short) 0)
                            .setMaxSupportedVersion(level)));
    BrokerRegistrationResponse taken =
        (BrokerRegistrationResponse)
            plane.send(new BrokerRegistrationRequest.Builder(other)).get(30, TimeUnit.SECONDS);
    assertThat(Errors.forCode(taken.data().errorCode())).isEqualTo(Errors.NONE);
    plane
        .send(
            new BrokerHeartbeatRequest.Builder(
                new BrokerHeartbeatRequestData()
                    .setBrokerId(other.brokerId())
                    .setBrokerEpoch(taken.data().brokerEpoch())
                    .setWantFence(true)))
        .get(30, TimeUnit.SECONDS);
  }

  @Test
  void describesATopicsConfigurationWithItsSources(@TempDir Path dir) throws Exception {
    Recorder recorder = new Recorder();
    try (KraftControlPlane plane = start(dir, recorder)) {
      plane
          .send(new CreateTopicsRequest.Builder(createTopic("weather", 1)))
          .get(30, TimeUnit.SECONDS);
      recorder.await(seen -> seen.now.partitionCount("weather").isPresent());
      var result =
          plane
              .view()
              .describeConfigs(
                  new DescribeConfigsResource()
                      .setResourceType((byte) 2)
                      .setResourceName("weather"),
                  true,
                  true);
      assertThat(result.errorCode()).isZero();
      var retention =
          result.configs().stream()
              .filter(c -> c.name().equals("retention.ms"))
              .findFirst()
              .orElseThrow();
      assertThat(retention.value()).isEqualTo("12345");
      assertThat(retention.configSource()).isEqualTo((byte) 1);
      assertThat(retention.documentation()).isNotBlank();
      assertThat(retention.synonyms()).hasSize(1);
      var node =
          plane
              .view()
              .describeConfigs(
                  new DescribeConfigsResource().setResourceType((byte) 4).setResourceName("1"),
                  true,
                  false);
      assertThat(node.errorCode()).isZero();
      var roles =
          node.configs().stream()
              .filter(c -> c.name().equals("process.roles"))
              .findFirst()
              .orElseThrow();
      assertThat(roles.value()).isEqualTo("broker,controller");
      assertThat(roles.configSource()).isEqualTo((byte) 4);
      assertThat(roles.readOnly()).isTrue();
    }
  }

  @Test
  void createsInternalTopicsOnceAndGivesOutProducerIds(@TempDir Path dir) throws Exception {
    Recorder recorder = new Recorder();
    try (KraftControlPlane plane = start(dir, recorder)) {
      var first = plane.createTopics(Set.of("__consumer_offsets"), null);
      var second = plane.createTopics(Set.of("__consumer_offsets", "not/valid"), null);
      assertThat(first.get(30, TimeUnit.SECONDS))
          .hasEntrySatisfying(
              "__consumer_offsets", error -> assertThat(error.error()).isEqualTo(Errors.NONE));
      assertThat(second.get(30, TimeUnit.SECONDS))
          .hasEntrySatisfying(
              "not/valid",
              error -> assertThat(error.error()).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION));
      recorder.await(seen -> seen.now.partitionCount("__consumer_offsets").isPresent());
      assertThat(plane.view().partitionCount("__consumer_offsets")).hasValue(50);
      assertThat(plane.view().logConfig("__consumer_offsets").compact).isTrue();
      CompletableFuture<Long> id = plane.nextProducerId();
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (id.isCompletedExceptionally() && System.nanoTime() < end) {
        Thread.onSpinWait();
        id = plane.nextProducerId();
      }
      assertThat(id.get()).isNotEqualTo(plane.nextProducerId().get());
    }
  }

  private static CreateTopicsRequestData createTopic(String name, int partitions) {
    CreatableTopic topic =
        new CreatableTopic()
            .setName(name)
            .setNumPartitions(partitions)
            .setReplicationFactor((short) 1);
    topic.configs().add(new CreatableTopicConfig().setName("retention.ms").setValue("12345"));
    CreateTopicsRequestData data = new CreateTopicsRequestData().setTimeoutMs(10_000);
    data.topics().add(topic);
    return data;
  }

  private record Seen(ClusterView before, ClusterView now, LocalChanges mine) {}

  private static final class Recorder implements MetadataListener {
    private final List<Seen> all = new CopyOnWriteArrayList<>();

    @Override
    public synchronized void onChange(ClusterView before, ClusterView now, LocalChanges mine) {
      all.add(new Seen(before, now, mine));
      notifyAll();
    }

    synchronized void await(Predicate<Seen> wanted) throws InterruptedException {
      while (all.stream().noneMatch(wanted)) {
        wait();
      }
    }

    Seen last(Predicate<Seen> wanted) {
      return all.stream().filter(wanted).reduce((a, b) -> b).orElseThrow();
    }
  }

  private static void awaitServing(KraftControlPlane plane) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!plane.serving()) {
      assertThat(System.nanoTime()).as("gave up waiting to serve").isLessThan(deadline);
      LockSupport.parkNanos(10_000_000L);
    }
  }
}
