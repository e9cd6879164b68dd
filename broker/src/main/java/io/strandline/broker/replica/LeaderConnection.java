package io.strandline.broker.replica;

import io.strandline.broker.control.Peers;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.ClientRequest;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.FetchSessionHandler;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.NetworkClientUtils;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.utils.LogContext;
import org.jspecify.annotations.Nullable;

/**
 * A leader over the network, asked as Kafka's followers do: Fetch with a session (KIP-227), topics
 * by id, this broker's epoch in each (KIP-903). One request is on its way at a time.
 */
public final class LeaderConnection implements Leader {
  /**
   * Who asks.
   *
   * @param node this broker
   * @param brokerEpoch of its registration
   */
  public record Self(int node, LongSupplier brokerEpoch) {}

  private final int broker;
  private final Peers peers;
  private final Self self;
  private final ReplicaSettings settings;
  private final NetworkClient client;
  private final FetchSessionHandler session;
  private @Nullable Node node;
  private volatile boolean closed;

  /**
   * @param name of its metrics, unique in this process
   */
  public LeaderConnection(
      int broker, String name, Peers peers, Self self, ReplicaSettings settings) {
    this.broker = broker;
    this.peers = peers;
    this.self = self;
    this.settings = settings;
    this.client = peers.client(name);
    this.session = new FetchSessionHandler(new LogContext("[" + name + "] "), broker);
  }

  @Override
  public Map<TopicIdPartition, FetchAnswer> fetch(Map<TopicIdPartition, FetchPosition> wanted)
      throws IOException {
    FetchSessionHandler.Builder builder = session.newBuilder(wanted.size(), false);
    Map<TopicPartition, TopicIdPartition> ids = new HashMap<>();
    wanted.forEach(
        (id, position) -> {
          ids.put(id.topicPartition(), id);
          builder.add(id.topicPartition(), asked(id, position));
        });
    FetchSessionHandler.FetchRequestData data = builder.build();
    short version = peers.fetchVersion();
    FetchRequest.Builder request =
        FetchRequest.Builder.forReplica(
                version,
                self.node(),
                self.brokerEpoch().getAsLong(),
                settings.waitMs(),
                settings.minBytes(),
                data.toSend())
            .setMaxBytes(settings.responseBytes())
            .removed(data.toForget())
            .replaced(data.toReplace())
            .metadata(data.metadata());
    FetchResponse response;
    try {
      response = (FetchResponse) send(request).responseBody();
    } catch (IOException | RuntimeException failure) {
      session.handleError(failure);
      throw failure;
    }
    if (!session.handleResponse(response, version)) {
      if (response.error() == Errors.FETCH_SESSION_TOPIC_ID_ERROR) {
        throw response.error().exception();
      }
      return Map.of(); // the next one begins a session anew
    }
    Map<TopicIdPartition, FetchAnswer> answers = new LinkedHashMap<>();
    response
        .responseData(session.sessionTopicNames(), version)
        .forEach(
            (partition, answer) -> {
              TopicIdPartition id = ids.get(partition);
              if (id != null) {
                answers.put(id, answer(answer));
              }
            });
    return answers;
  }

  private FetchRequest.PartitionData asked(TopicIdPartition id, FetchPosition position) {
    OptionalInt last = position.lastFetchedEpoch();
    return new FetchRequest.PartitionData(
        id.topicId(),
        position.offset(),
        position.logStartOffset(),
        settings.partitionBytes(),
        Optional.of(position.leaderEpoch()),
        last.isPresent() ? Optional.of(last.getAsInt()) : Optional.empty());
  }

  private static FetchAnswer answer(PartitionData data) {
    Optional<EpochEnd> diverging =
        FetchResponse.isDivergingEpoch(data)
            ? Optional.of(
                new EpochEnd(data.divergingEpoch().epoch(), data.divergingEpoch().endOffset()))
            : Optional.empty();
    MemoryRecords records =
        data.records() == null
            ? MemoryRecords.EMPTY
            : (MemoryRecords) FetchResponse.recordsOrFail(data);
    return new FetchAnswer(
        Errors.forCode(data.errorCode()),
        records,
        data.highWatermark(),
        data.logStartOffset(),
        diverging,
        TierMark.in(data.unknownTaggedFields()));
  }

  @Override
  public Range range(TopicIdPartition partition, int leaderEpoch) throws IOException {
    long end = offset(partition, leaderEpoch, ListOffsetsRequest.LATEST_TIMESTAMP);
    return new Range(offset(partition, leaderEpoch, ListOffsetsRequest.EARLIEST_TIMESTAMP), end);
  }

  private long offset(TopicIdPartition partition, int leaderEpoch, long which) throws IOException {
    ListOffsetsTopic topic =
        new ListOffsetsTopic()
            .setName(partition.topic())
            .setPartitions(
                List.of(
                    new ListOffsetsPartition()
                        .setPartitionIndex(partition.partition())
                        .setCurrentLeaderEpoch(leaderEpoch)
                        .setTimestamp(which)));
    ListOffsetsRequest.Builder request =
        ListOffsetsRequest.Builder.forReplica(peers.listOffsetsVersion(), self.node())
            .setTargetTimes(List.of(topic));
    ListOffsetsResponse response = (ListOffsetsResponse) send(request).responseBody();
    ListOffsetsPartitionResponse found = response.topics().get(0).partitions().get(0);
    Errors.forCode(found.errorCode()).maybeThrow();
    return found.offset();
  }

  /** Sends to where the broker listens now, and waits. */
  private ClientResponse send(AbstractRequest.Builder<?> request) throws IOException {
    if (closed) {
      throw new IOException("closed");
    }
    Node now =
        peers.node(broker).orElseThrow(() -> new IOException("broker " + broker + " is not there"));
    Node before = node;
    if (before != null && !before.equals(now)) {
      client.close(before.idString());
    }
    node = now;
    int timeoutMs = peers.requestTimeoutMs();
    try {
      if (!NetworkClientUtils.awaitReady(client, now, peers.time(), timeoutMs)) {
        throw new IOException("no connection to broker " + broker + " within " + timeoutMs + " ms");
      }
      ClientRequest sent =
          client.newClientRequest(
              now.idString(),
              request,
              peers.time().milliseconds(),
              true,
              timeoutMs + settings.waitMs(),
              null);
      return NetworkClientUtils.sendAndReceive(client, sent, peers.time());
    } catch (IOException | RuntimeException failure) {
      client.close(now.idString());
      throw failure;
    }
  }

  @Override
  public void cancel() {
    closed = true;
    client.initiateClose();
    client.wakeup();
  }

  @Override
  public void close() {
    client.close();
  }
}
