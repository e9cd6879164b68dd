package io.strandline.tools.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.SnapshotFooterRecord;
import org.apache.kafka.common.message.SnapshotHeaderRecord;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.junit.jupiter.api.Test;

/** What a topic was is taken from the newest backup that is whole, or is known not to be known. */
class SavedTopicTest {
  private static final Uuid TOPIC = new Uuid(7, 7);
  private static final Map<String, String> KEPT = Map.of("retention.ms", "-1");

  private final MemoryObjectStore store =
      new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final MetadataBackups backups = new MetadataBackups(store);
  private final List<String> warnings = new ArrayList<>();

  @Test
  void damagedBackupsArePassedOverForTheOneBefore() {
    backup(100, snapshot("9"));
    backup(200, snapshot("-1"));
    backup(300, cut(snapshot("5")));
    backup(400, ByteBuffer.wrap("no snapshot of a quorum at all".getBytes(StandardCharsets.UTF_8)));
    SavedTopic saved = SavedTopic.of(store, TOPIC, warnings::add);
    assertThat(saved).isEqualTo(new SavedTopic(KEPT, 3, "", false));
    assertThat(warnings).hasSize(2).allMatch(warning -> warning.contains("is passed over"));
  }

  @Test
  void ofDamagedBackupsAloneItIsSaidThatTheyCannotBeRead() {
    backup(100, cut(snapshot("-1")));
    SavedTopic saved = SavedTopic.of(store, TOPIC, warnings::add);
    assertThat(saved.unread()).isTrue();
    assertThat(saved.missing()).contains("1 are damaged");
  }

  @Test
  void anOlderOneThatDoesNotKnowTheTopicDoesNotSpeakForADamagedOne() {
    Uuid since = new Uuid(8, 8);
    backup(100, snapshot("-1"));
    backup(200, cut(snapshot("-1")));
    SavedTopic saved = SavedTopic.of(store, since, warnings::add);
    assertThat(saved.unread()).isTrue();
    assertThat(saved.missing()).contains("that is whole does not know the topic");
  }

  @Test
  void whereThereIsNoBackupNoneCouldTell() {
    assertThat(SavedTopic.of(store, TOPIC, warnings::add).unread()).isFalse();
    backup(100, snapshot("-1"));
    SavedTopic other = SavedTopic.of(store, new Uuid(8, 8), warnings::add);
    assertThat(other.missing()).contains("does not know the topic");
    assertThat(other.unread()).isFalse();
  }

  private void backup(long endOffset, ByteBuffer bytes) {
    backups.put(0, endOffset, 1, bytes).join();
  }

  /** A topic of three partitions. */
  private static ByteBuffer snapshot(String retentionMs) {
    List<ApiMessage> messages = new ArrayList<>();
    messages.add(new TopicRecord().setName("trips").setTopicId(TOPIC));
    for (int i = 0; i < 3; i++) {
      messages.add(new PartitionRecord().setTopicId(TOPIC).setPartitionId(i));
    }
    messages.add(
        new ConfigRecord()
            .setResourceType(ConfigResource.Type.TOPIC.id())
            .setResourceName("trips")
            .setName("retention.ms")
            .setValue(retentionMs));
    ByteBuffer all = ByteBuffer.allocate(4096);
    put(
        all,
        MemoryRecords.withSnapshotHeaderRecord(
            0, 0, 1, ByteBuffer.allocate(512), new SnapshotHeaderRecord()));
    put(
        all,
        MemoryRecords.withRecords(
            1,
            Compression.NONE,
            1,
            messages.stream().map(SavedTopicTest::record).toArray(SimpleRecord[]::new)));
    put(
        all,
        MemoryRecords.withSnapshotFooterRecord(
            1L + messages.size(), 0, 1, ByteBuffer.allocate(512), new SnapshotFooterRecord()));
    return all.flip();
  }

  private static void put(ByteBuffer all, MemoryRecords batch) {
    all.put(batch.buffer().duplicate());
  }

  private static SimpleRecord record(ApiMessage message) {
    ApiMessageAndVersion data = new ApiMessageAndVersion(message, (short) 0);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer frame = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(data, cache));
    MetadataRecordSerde.INSTANCE.write(data, cache, new ByteBufferAccessor(frame));
    return new SimpleRecord(frame.flip());
  }

  /** Without its end, all before which is sound. */
  private static ByteBuffer cut(ByteBuffer snapshot) {
    return snapshot.limit(snapshot.limit() - 20);
  }
}
