package io.strandline.tests.simulation;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import io.strandline.tests.simulation.QuorumModel.Broker;
import io.strandline.tests.simulation.QuorumModel.Image;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/** What one life of a broker knows of the metadata, and its way to the quorum. */
final class NodeView {
  private static final TopicIdPartition ID = SimulatedCluster.PARTITION;

  final ControlPlane control =
      fake(ControlPlane.class, (method, arguments) -> asked(method, arguments));
  private final int node;
  private final LogConfig config;
  private final Function<IsrChange, CompletableFuture<IsrChange.Answer>> changes;
  private Image image;
  private ClusterView view;
  private long brokerEpoch = -1;

  /**
   * @param changes asks the quorum for another ISR
   */
  NodeView(
      int node,
      LogConfig config,
      Image image,
      Function<IsrChange, CompletableFuture<IsrChange.Answer>> changes) {
    this.node = node;
    this.config = config;
    this.changes = changes;
    this.image = image;
    this.view = view(image, image.offset());
  }

  long brokerEpoch() {
    return brokerEpoch;
  }

  void registered(long epoch) {
    brokerEpoch = epoch;
  }

  long offset() {
    return image.offset();
  }

  ClusterView view() {
    return view;
  }

  /** The view of somebody who has heard of nothing yet. */
  ClusterView empty() {
    return view(image, -1);
  }

  ClusterView learn(Image newer) {
    image = newer;
    view = view(newer, newer.offset());
    return view;
  }

  /** What a step from one image to another means here, as Kafka's {@code TopicDelta} has it. */
  LocalChanges changes(@Nullable Image before, Image now) {
    PartitionState is = now.partition();
    boolean was = before != null && before.partition().replicas().contains(node);
    if (!is.replicas().contains(node)) {
      return was
          ? new LocalChanges(Map.of(), Map.of(), Map.of(), Set.of(ID), Set.of(), Map.of(), Set.of())
          : LocalChanges.NONE;
    }
    if (was && before.partition().partitionEpoch() == is.partitionEpoch()) {
      return LocalChanges.NONE;
    }
    Map<TopicIdPartition, PartitionState> one = Map.of(ID, is);
    boolean leads = is.leader() == node;
    boolean elected =
        leads && (before == null || before.partition().leaderEpoch() != is.leaderEpoch());
    return new LocalChanges(
        elected ? one : Map.of(),
        leads ? one : Map.of(),
        leads ? Map.of() : one,
        Set.of(),
        Set.of(),
        Map.of(),
        Set.of());
  }

  private ClusterView view(Image of, long offset) {
    return fake(
        ClusterView.class,
        (method, arguments) ->
            switch (method) {
              case "offset" -> offset;
              case "nodeId" -> node;
              case "topicId" -> ID.topic().equals(arguments[0]) ? ID.topicId() : Uuid.ZERO_UUID;
              case "topicName" -> ID.topicId().equals(arguments[0]) ? ID.topic() : null;
              case "topics" -> Set.of(ID.topic());
              case "topicOverrides", "clusterOverrides" -> Map.of();
              case "tieredByKafka" -> false;
              case "ours" -> true;
              case "logConfig" -> config;
              case "partition" ->
                  ID.topicPartition().equals((TopicPartition) arguments[0])
                      ? Optional.of(of.partition())
                      : Optional.empty();
              case "fenced" -> broker(of, arguments).map(Broker::fenced).orElse(false);
              case "shuttingDown" -> broker(of, arguments).map(Broker::leaving).orElse(false);
              case "brokerEpoch" ->
                  broker(of, arguments)
                      .filter(there -> !there.fenced())
                      .map(there -> OptionalLong.of(there.epoch()))
                      .orElse(OptionalLong.empty());
              default -> throw new UnsupportedOperationException(method);
            });
  }

  private static Optional<Broker> broker(Image of, Object[] arguments) {
    return Optional.ofNullable(of.brokers().get((Integer) arguments[0]));
  }

  private @Nullable Object asked(String method, Object[] arguments) {
    return switch (method) {
      case "view" -> view;
      case "brokerEpoch" -> brokerEpoch;
      case "cordonedDirectories" -> Set.of();
      case "assignDirectory" -> null;
      case "changeIsr" -> changes.apply((IsrChange) Objects.requireNonNull(arguments[0]));
      default -> throw new UnsupportedOperationException(method);
    };
  }

  private static <T> T fake(Class<T> type, BiFunction<String, Object[], Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> answers.apply(method.getName(), arguments)));
  }
}
