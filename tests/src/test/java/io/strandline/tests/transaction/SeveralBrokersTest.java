package io.strandline.tests.transaction;

import static org.apache.kafka.clients.admin.TransactionState.COMPLETE_COMMIT;
import static org.apache.kafka.clients.admin.TransactionState.PREPARE_COMMIT;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Transactions whose coordinator (broker 2), group coordinator (broker 3) and partitions are led by
 * different brokers. Crash model: process.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SeveralBrokersTest {
  @TempDir static Path dir;
  private TestCluster cluster;
  private TransactionClients clients;

  @BeforeAll
  void start() throws Exception {
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .set("offsets.topic.num.partitions", "1")
            .set("transaction.state.log.num.partitions", "1")
            .set("strandline.tier.enable", "false")
            .start();
    Map<String, String> compact = Map.of("cleanup.policy", "compact");
    ClusterTopics.create(
        cluster, Topic.TRANSACTION_STATE_TOPIC_NAME, Map.of(0, List.of(2)), compact);
    ClusterTopics.create(cluster, Topic.GROUP_METADATA_TOPIC_NAME, Map.of(0, List.of(3)), compact);
    clients = new TransactionClients(cluster.bootstrap());
  }

  @AfterAll
  void stop() throws Exception {
    if (cluster != null) {
      cluster.close();
    }
  }

  /** A topic whose partitions 0, 1… are led by these brokers. */
  private List<TopicPartition> topic(String name, int... leaders) throws Exception {
    Map<Integer, List<Integer>> placed = new HashMap<>();
    List<TopicPartition> partitions = new ArrayList<>();
    for (int leader : leaders) {
      partitions.add(new TopicPartition(name, placed.size()));
      placed.put(placed.size(), List.of(leader));
    }
    ClusterTopics.create(cluster, name, placed, Map.of());
    return partitions;
  }

  private static void send(
      KafkaProducer<String, String> producer, List<TopicPartition> to, String value) {
    to.forEach(tp -> producer.send(new ProducerRecord<>(tp.topic(), tp.partition(), "", value)));
    producer.flush();
  }

  @ParameterizedTest
  @CsvSource({"1,true", "1,false", "2,true", "2,false"})
  void aTransactionEndsInThePartitionsOfAllBrokers(int version, boolean commit) throws Exception {
    clients.transactionVersion(version);
    String name = "ends-" + version + commit;
    List<TopicPartition> topic = topic(name, 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun(name)) {
      send(producer, topic, "before");
      producer.commitTransaction();
      producer.beginTransaction();
      send(producer, topic, "now");
      producer.sendOffsetsToTransaction(
          Map.of(topic.get(0), new OffsetAndMetadata(5)), new ConsumerGroupMetadata(name));
      if (commit) {
        producer.commitTransaction();
      } else {
        producer.abortTransaction();
      }
      List<String> expected = commit ? List.of("before", "now") : List.of("before");
      TransactionClients.await(
          "markers", () -> topic.stream().allMatch(tp -> clients.committed(tp).equals(expected)));
      OffsetAndMetadata offset =
          TransactionClients.get(
                  cluster.admin().listConsumerGroupOffsets(name).partitionsToOffsetAndMetadata())
              .get(topic.get(0));
      assertThat(offset == null ? -1 : offset.offset()).isEqualTo(commit ? 5 : -1);
    }
  }

  /** KIP-890: the leader (1, 2 or 3) asks the coordinator (2) before it appends. */
  @ParameterizedTest
  @CsvSource({"10,INVALID_TXN_STATE", "11,TRANSACTION_ABORTABLE"})
  void aPartitionThatIsNotInTheTransactionIsRefused(short version, Errors refusal)
      throws Exception {
    clients.transactionVersion(2);
    String name = "outside-" + version;
    List<TopicPartition> inside = topic(name + "-in", 1);
    List<TopicPartition> outside = topic(name, 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun(name)) {
      send(producer, inside, "inside");
      TransactionDescription known =
          TransactionClients.get(
              cluster.admin().describeTransactions(List.of(name)).description(name));
      for (TopicPartition tp : outside) {
        assertThat(produced(name, version, tp, stray(known))).isEqualTo(refusal);
      }
      producer.commitTransaction();
    }
    outside.forEach(tp -> assertThat(clients.read(tp, IsolationLevel.READ_UNCOMMITTED)).isEmpty());
  }

  /** Whether the leader asks the coordinator is seen by what it takes of a partition outside. */
  @Test
  void verificationIsTurnedOffWhileBrokersRun() throws Exception {
    clients.transactionVersion(1);
    List<TopicPartition> inside = topic("verified-in", 1);
    List<TopicPartition> outside = topic("verified", 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun("verified")) {
      send(producer, inside, "inside");
      TransactionDescription known =
          TransactionClients.get(
              cluster.admin().describeTransactions(List.of("verified")).description("verified"));
      for (TopicPartition tp : outside) {
        assertThat(taken(tp, known)).isFalse();
      }
      verify("false");
      for (TopicPartition tp : outside) {
        TransactionClients.await("the change", () -> taken(tp, known));
      }
      producer.commitTransaction();
    } finally {
      verify("true");
    }
  }

  private boolean taken(TopicPartition tp, TransactionDescription known) {
    try {
      return produced("verified", (short) 10, tp, stray(known)) == Errors.NONE;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static MemoryRecords stray(TransactionDescription of) {
    return MemoryRecords.withTransactionalRecords(
        Compression.NONE,
        of.producerId(),
        (short) of.producerEpoch(),
        0,
        new SimpleRecord("stray".getBytes(StandardCharsets.UTF_8)));
  }

  private void verify(String enabled) throws Exception {
    ConfigResource brokers = new ConfigResource(ConfigResource.Type.BROKER, "");
    ConfigEntry entry = new ConfigEntry("transaction.partition.verification.enable", enabled);
    AlterConfigOp set = new AlterConfigOp(entry, AlterConfigOp.OpType.SET);
    cluster.admin().incrementalAlterConfigs(Map.of(brokers, List.of(set))).all().get();
  }

  private Errors produced(
      String transactionalId, short version, TopicPartition tp, MemoryRecords records)
      throws Exception {
    var data =
        new ProduceRequestData()
            .setTransactionalId(transactionalId)
            .setAcks((short) -1)
            .setTimeoutMs(30_000);
    data.topicData()
        .add(
            new TopicProduceData()
                .setName(tp.topic())
                .setPartitionData(
                    List.of(
                        new PartitionProduceData().setIndex(tp.partition()).setRecords(records))));
    RequestHeader header = new RequestHeader(ApiKeys.PRODUCE, version, "stray", 1);
    ByteBuffer request = new ProduceRequest(data, version).serializeWithHeader(header);
    String[] address = cluster.bootstrap(ClusterTopics.leader(cluster, tp)).split(":");
    try (Socket socket = new Socket(address[0], Integer.parseInt(address[1]))) {
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      out.writeInt(request.remaining());
      out.write(request.array(), request.arrayOffset() + request.position(), request.remaining());
      DataInputStream in = new DataInputStream(socket.getInputStream());
      byte[] answer = new byte[in.readInt()];
      in.readFully(answer);
      var response =
          (ProduceResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
      return Errors.forCode(
          response
              .data()
              .responses()
              .find(tp.topic(), Uuid.ZERO_UUID)
              .partitionResponses()
              .get(0)
              .errorCode());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBrokerThatIsDownHoldsUpItsOwnPartitionsAlone(boolean coordinatorToo) throws Exception {
    clients.transactionVersion(2);
    String name = "down-" + coordinatorToo;
    List<TopicPartition> topic = topic(name, 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun(name);
        KafkaProducer<String, String> other = clients.begun(name + "-other")) {
      send(producer, topic, "open");
      cluster.node(3).kill();
      producer.commitTransaction();
      List<TopicPartition> alive = topic.subList(0, 2);
      TransactionClients.await(
          "those alive",
          () -> alive.stream().allMatch(tp -> clients.committed(tp).equals(List.of("open"))));
      send(other, alive, "other");
      other.commitTransaction();
      TransactionClients.await(
          "the other transaction", () -> state(name + "-other") == COMPLETE_COMMIT);
      assertThat(state(name)).isEqualTo(PREPARE_COMMIT);
      if (coordinatorToo) {
        cluster.node(2).kill();
        cluster.node(2).startAgain();
      }
      cluster.node(3).startAgain();
      TransactionClients.await("its end", () -> state(name) == COMPLETE_COMMIT);
      assertThat(clients.committed(topic.get(2))).containsExactly("open");
      alive.forEach(tp -> assertThat(clients.committed(tp)).containsExactly("open", "other"));
    }
  }

  private @Nullable TransactionState state(String id) {
    try {
      return TransactionClients.get(
              cluster.admin().describeTransactions(List.of(id)).description(id))
          .state();
    } catch (RetriableException | IllegalStateException notYet) {
      return null;
    }
  }

  @Test
  void itsCoordinatorAndItsPartitionsMoveWhileATransactionIsOpen() throws Exception {
    clients.transactionVersion(2);
    TopicPartition coordinator = new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, 0);
    List<TopicPartition> topic = topic("moving", 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun("moving")) {
      send(producer, topic, "before");
      ClusterTopics.move(cluster, coordinator, 1);
      ClusterTopics.move(cluster, topic.get(2), 2);
      send(producer, topic, "after");
      producer.commitTransaction();
      producer.beginTransaction();
      send(producer, topic, "aborted");
      ClusterTopics.move(cluster, coordinator, 2);
      ClusterTopics.move(cluster, topic.get(2), 3);
      producer.abortTransaction();
      TransactionClients.await("its end", () -> state("moving") == TransactionState.COMPLETE_ABORT);
    }
    topic.forEach(tp -> assertThat(clients.committed(tp)).containsExactly("before", "after"));
    topic.forEach(tp -> assertThat(clients.read(tp, IsolationLevel.READ_UNCOMMITTED)).hasSize(3));
  }

  @Test
  void aDeletedTopicNeedsNoMarker() throws Exception {
    clients.transactionVersion(2);
    List<TopicPartition> kept = topic("kept", 1, 2, 3);
    List<TopicPartition> deleted = topic("deleted", 1, 2, 3);
    try (KafkaProducer<String, String> producer = clients.begun("deleted")) {
      send(producer, kept, "kept");
      send(producer, deleted, "gone");
      TransactionClients.get(cluster.admin().deleteTopics(List.of("deleted")).all());
      producer.commitTransaction();
      TransactionClients.await("its end", () -> state("deleted") == COMPLETE_COMMIT);
    }
    kept.forEach(tp -> assertThat(clients.committed(tp)).containsExactly("kept"));
  }
}
