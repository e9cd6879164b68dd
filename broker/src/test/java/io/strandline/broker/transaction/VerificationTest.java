package io.strandline.broker.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.TestPeers;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.request.data.DataRig;
import io.strandline.broker.transaction.PartitionVerification.Asked;
import io.strandline.broker.transaction.PartitionVerification.Verified;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.coordinator.transaction.AddPartitionsToTxnConfig;
import org.apache.kafka.server.transaction.AddPartitionsToTxnManager.TransactionSupportedOperation;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Verification by a coordinator on another broker that cannot be reached. */
class VerificationTest {
  private static final int ELSEWHERE = 2;
  private static final TopicPartition TP = new TopicPartition(DataRig.NAME, 0);

  private final ClusterView view =
      fake(
          ClusterView.class,
          method ->
              switch (method) {
                case "partitionCount" -> OptionalInt.of(1);
                case "partition" -> Optional.of(coordinator());
                case "broker" -> Optional.empty();
                case "nodeId" -> 1;
                default -> throw new UnsupportedOperationException(method);
              });
  private final ControlPlane control =
      fake(ControlPlane.class, method -> method.equals("kafkaConfig") ? TestPeers.config() : view);

  private static PartitionState coordinator() {
    return new PartitionState(
        new TopicIdPartition(Uuid.ONE_UUID, 0, Topic.TRANSACTION_STATE_TOPIC_NAME),
        ELSEWHERE,
        0,
        0,
        List.of(ELSEWHERE),
        List.of(ELSEWHERE),
        List.of(),
        List.of(),
        List.of(),
        new Uuid(1, 1),
        false);
  }

  private static <T> T fake(Class<T> type, Function<String, Object> answers) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> answers.apply(method.getName())));
  }

  @Test
  void theLogsAndWhoAsksForThemAreTurnedOffAndOnAsOne(@TempDir Path dir) throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    try (Metrics metrics = new Metrics()) {
      Verification verification =
          new Verification(
              rig.partitions,
              new TransactionCoordinator(control, null, 1, InstantSource.system()),
              new RemoteCoordinators(TestPeers.none(view, metrics).requests("verification")),
              new Verification.Terms(
                  rig.producers::transactionVerificationEnabled,
                  new AddPartitionsToTxnConfig(TestPeers.config())),
              rig.time);
      for (int producer = 1; producer <= 4; producer++) {
        boolean on = producer % 2 == 0;
        rig.producers.setTransactionVerificationEnabled(on);
        Asked asked =
            new Asked(
                new TransactionalProducer("id", producer, (short) 0),
                TransactionSupportedOperation.DEFAULT_ERROR);
        Verified verified = verification.verify(asked, Map.of(TP, 0)).join();
        assertThat(verified.errors())
            .isEqualTo(on ? Map.of(TP, Errors.COORDINATOR_NOT_AVAILABLE) : Map.of());
        VerificationGuard guard = verified.guards().getOrDefault(TP, VerificationGuard.SENTINEL);
        assertThat(rig.partition(0).append(records(producer), (short) 1, terms(guard)).written())
            .as("what the log asks for is what was begun")
            .isCompleted();
      }
    }
  }

  private static MemoryRecords records(long producer) {
    return MemoryRecords.withTransactionalRecords(
        Compression.NONE, producer, (short) 0, 0, new SimpleRecord(1, new byte[10]));
  }

  private static AppendTerms terms(VerificationGuard guard) {
    return new AppendTerms(AppendTerms.PRESENT_EPOCH, AppendOrigin.CLIENT, guard, (short) -1);
  }
}
