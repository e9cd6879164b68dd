package io.strandline.broker.control.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.metadata.AccessControlEntryRecord;
import org.apache.kafka.common.metadata.ClientQuotaRecord;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.metadata.UserScramCredentialRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.junit.jupiter.api.Test;

/** What a restore keeps of a cluster's metadata and what it changes. */
class RestoredClusterTest {
  private static final Uuid KEPT = new Uuid(1, 1);
  private static final Uuid GONE = new Uuid(2, 2);

  @Test
  void identitiesAreKeptAndOneNodeHoldsAllInAHigherEpoch() {
    List<ApiMessageAndVersion> others = others();
    SavedCluster saved = SavedCluster.of(snapshot());
    assertThat(saved.brokers()).containsExactly(1, 2);
    assertThat(saved.generation()).isZero();
    assertThat(saved.partitions())
        .containsEntry(new TopicIdPartition(KEPT, 0, "kept"), 5)
        .hasSize(2);
    RestoredCluster restored =
        RestoredCluster.of("id", saved, new RestoredCluster.Plan(7, p -> 1_006, Set.of(GONE), 3));
    assertThat(restored.records()).containsAll(others);
    assertThat(restored.records())
        .extracting(ApiMessageAndVersion::message)
        .doesNotHaveAnyElementsOfTypes(RegisterBrokerRecord.class)
        .contains(
            partition(KEPT, List.of(7), 1_006)
                .setPartitionEpoch(10)
                .setDirectories(List.of(DirectoryId.UNASSIGNED)),
            new ProducerIdsRecord().setBrokerId(1).setBrokerEpoch(4).setNextProducerId(1_003_000));
    assertThat(restored.records().toString()).doesNotContain("gone");
    assertThat(restored.epoch()).isEqualTo(5);
    MemorySnapshot again =
        new MemorySnapshot(new OffsetAndEpoch(restored.endOffset(), restored.epoch()));
    SnapshotCodec.write(again, restored.records(), Optional.empty(), 0);
    assertThat(SavedCluster.of(again.finished()).generation()).isEqualTo(3);
  }

  @Test
  void aSnapshotThatIsDamagedOrNotWholeIsRefused() {
    MetadataSnapshot whole = snapshot();
    byte[] bytes = whole.bytes().array();
    bytes[bytes.length / 2] ^= 1;
    assertThatThrownBy(() -> SavedCluster.of(whole)).isInstanceOf(CorruptRecordException.class);
    bytes[bytes.length / 2] ^= 1;
    ByteBuffer half = ByteBuffer.wrap(bytes, 0, bytes.length - 90).slice();
    assertThatThrownBy(() -> SavedCluster.of(new MetadataSnapshot(29, 4, half)))
        .isInstanceOf(CorruptRecordException.class);
  }

  private static MetadataSnapshot snapshot() {
    List<ApiMessageAndVersion> records = new ArrayList<>(others());
    records.add(record(new RegisterBrokerRecord().setBrokerId(1), 3));
    records.add(record(new RegisterBrokerRecord().setBrokerId(2), 3));
    records.add(record(new TopicRecord().setName("gone").setTopicId(GONE), 0));
    records.add(record(partition(GONE, List.of(2, 1), 6), 1));
    records.add(config(2, "gone", "retention.ms", "9"));
    records.add(record(partition(KEPT, List.of(1, 2), 5).setPartitionEpoch(9), 1));
    records.add(
        record(
            new ProducerIdsRecord().setBrokerId(1).setBrokerEpoch(4).setNextProducerId(3_000), 0));
    MemorySnapshot out = new MemorySnapshot(new OffsetAndEpoch(29, 4));
    SnapshotCodec.write(out, records, Optional.empty(), 0);
    return out.finished();
  }

  /** What nothing may happen to. */
  private static List<ApiMessageAndVersion> others() {
    return List.of(
        record(new FeatureLevelRecord().setName("metadata.version").setFeatureLevel((short) 20), 0),
        record(new TopicRecord().setName("kept").setTopicId(KEPT), 0),
        config(2, "kept", "retention.ms", "8"),
        record(
            new AccessControlEntryRecord()
                .setId(new Uuid(3, 3))
                .setResourceType((byte) 2)
                .setResourceName("kept")
                .setPatternType((byte) 3)
                .setPrincipal("User:a")
                .setHost("*")
                .setOperation((byte) 3)
                .setPermissionType((byte) 3),
            0),
        record(
            new UserScramCredentialRecord()
                .setName("a")
                .setMechanism((byte) 1)
                .setSalt(new byte[] {1})
                .setStoredKey(new byte[] {2})
                .setServerKey(new byte[] {3})
                .setIterations(4096),
            0),
        record(
            new ClientQuotaRecord()
                .setEntity(
                    List.of(
                        new ClientQuotaRecord.EntityData()
                            .setEntityType("user")
                            .setEntityName("a")))
                .setKey("producer_byte_rate")
                .setValue(1.5),
            0));
  }

  private static PartitionRecord partition(Uuid topic, List<Integer> replicas, int leaderEpoch) {
    return new PartitionRecord()
        .setTopicId(topic)
        .setPartitionId(0)
        .setReplicas(replicas)
        .setIsr(replicas)
        .setLeader(replicas.get(0))
        .setLeaderEpoch(leaderEpoch)
        .setDirectories(replicas.stream().map(replica -> new Uuid(9, replica)).toList());
  }

  private static ApiMessageAndVersion config(int type, String resource, String key, String value) {
    return record(
        new ConfigRecord()
            .setResourceType((byte) type)
            .setResourceName(resource)
            .setName(key)
            .setValue(value),
        0);
  }

  private static ApiMessageAndVersion record(ApiMessage message, int version) {
    return new ApiMessageAndVersion(message, (short) version);
  }
}
