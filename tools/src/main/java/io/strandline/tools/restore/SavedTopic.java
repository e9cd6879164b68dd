package io.strandline.tools.restore;

import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * A topic as the newest whole backup of its cluster's metadata has it.
 *
 * @param configs none if it is not known; but for what turns tiering off
 * @param partitions 0 if it is not known
 * @param missing why it is not known; empty if it is
 * @param unread whether there are backups that may tell, and none could be read
 */
public record SavedTopic(
    Map<String, String> configs, int partitions, String missing, boolean unread) {
  public SavedTopic {
    configs = new TreeMap<>(configs);
    // What is said to have it rest there is not said of the one that goes on here.
    configs.remove(TopicConfig.REMOTE_LOG_COPY_DISABLE_CONFIG);
    configs.remove(TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG, "false");
  }

  /**
   * Asks the store; backups that cannot be read are a reason, not a failure. A damaged one is
   * passed over for the one before. One whose key is lacking, or that the store does not give, is
   * not: an older one may say what is not so any more.
   *
   * @param warnings told of each that was passed over
   */
  public static SavedTopic of(ObjectStore store, Uuid topicId, Consumer<String> warnings) {
    MetadataBackups backups = new MetadataBackups(store);
    try {
      List<MetadataBackups.Backup> newest = backups.newest().join();
      boolean damage = false;
      for (MetadataBackups.Backup backup : newest) {
        try {
          return in(backups.read(backup).join(), topicId, damage);
        } catch (CompletionException e) {
          StoreException failure = StoreException.of(e);
          if (!passedOver(failure)) {
            throw e;
          }
          damage |= !(failure instanceof StoreException.NotFound);
          warnings.accept(backup.key() + " is passed over: " + failure.getMessage());
        } catch (RuntimeException damaged) {
          damage = true;
          warnings.accept(backup.key() + " is passed over: " + damaged.getMessage());
        }
      }
      return newest.isEmpty()
          ? unknown("there is no backup of its metadata", false)
          : unknown("no backup of its metadata is whole; " + newest.size() + " are damaged", true);
    } catch (CompletionException e) {
      return unknown("the backup of its metadata: " + StoreException.of(e).getMessage(), true);
    }
  }

  /** Pruned since it was listed, or not what was written. */
  private static boolean passedOver(StoreException failure) {
    return failure instanceof StoreException.NotFound
        || (failure instanceof StoreException.Undeciphered bytes && bytes.lackingKey().isEmpty());
  }

  private static SavedTopic unknown(String why, boolean unread) {
    return new SavedTopic(Map.of(), 0, why, unread);
  }

  /**
   * @param damage whether a newer one was, which may have known a topic that this one does not
   */
  private static SavedTopic in(ByteBuffer snapshot, Uuid topicId, boolean damage) {
    Map<String, Map<String, String>> byTopic = new HashMap<>();
    String name = "";
    int partitions = 0;
    boolean whole = false;
    for (RecordBatch batch : MemoryRecords.readableRecords(snapshot).batches()) {
      batch.ensureValid();
      if (batch.isControlBatch()) {
        whole = endsSnapshot(batch);
        continue;
      }
      for (Record record : batch) {
        ApiMessage message = message(record.value());
        if (message instanceof TopicRecord topic && topic.topicId().equals(topicId)) {
          name = topic.name();
        } else if (message instanceof PartitionRecord partition
            && partition.topicId().equals(topicId)) {
          partitions = Math.max(partitions, partition.partitionId() + 1);
        } else if (message instanceof ConfigRecord config
            && config.resourceType() == ConfigResource.Type.TOPIC.id()) {
          byTopic
              .computeIfAbsent(config.resourceName(), fresh -> new HashMap<>())
              .put(config.name(), config.value());
        }
      }
    }
    if (!whole) {
      throw new CorruptRecordException("a snapshot without its end");
    }
    if (name.isEmpty()) {
      String which =
          damage ? "newest backup of its metadata that is whole" : "newest backup of its metadata";
      return unknown("the " + which + " does not know the topic", damage);
    }
    return new SavedTopic(byTopic.getOrDefault(name, Map.of()), partitions, "", false);
  }

  private static boolean endsSnapshot(RecordBatch controls) {
    boolean ends = false;
    for (Record control : controls) {
      ends = ControlRecordType.parse(control.key()) == ControlRecordType.SNAPSHOT_FOOTER;
    }
    return ends;
  }

  /** A frame: its version, the record's type and version, the record. */
  private static ApiMessage message(ByteBuffer frame) {
    ByteBufferAccessor in = new ByteBufferAccessor(frame);
    int frameVersion = in.readUnsignedVarint();
    if (frameVersion != 1) {
      throw new IllegalArgumentException("a record of frame version " + frameVersion);
    }
    short type = (short) in.readUnsignedVarint();
    short version = (short) in.readUnsignedVarint();
    ApiMessage message = MetadataRecordType.fromId(type).newMetadataRecord();
    message.read(in, version);
    return message;
  }
}
