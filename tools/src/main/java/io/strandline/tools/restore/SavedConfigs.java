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
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * A topic's configuration as the newest backup of its cluster's metadata has it.
 *
 * @param values none if it is not known
 * @param missing why it is not known; empty if it is
 */
public record SavedConfigs(Map<String, String> values, String missing) {
  public SavedConfigs {
    values = new TreeMap<>(values);
  }

  /** Asks the store; a backup that cannot be read is a reason, not a failure. */
  public static SavedConfigs of(ObjectStore store, Uuid topicId) {
    MetadataBackups backups = new MetadataBackups(store);
    try {
      List<MetadataBackups.Backup> newest = backups.newest().join();
      return newest.isEmpty()
          ? unknown("there is no backup of its metadata")
          : in(backups.read(newest.get(0)).join(), topicId);
    } catch (CompletionException e) {
      return unknown("the backup of its metadata: " + StoreException.of(e).getMessage());
    } catch (RuntimeException damaged) {
      return unknown("the backup of its metadata is damaged: " + damaged.getMessage());
    }
  }

  private static SavedConfigs unknown(String why) {
    return new SavedConfigs(Map.of(), why);
  }

  private static SavedConfigs in(ByteBuffer snapshot, Uuid topicId) {
    Map<String, Map<String, String>> byTopic = new HashMap<>();
    String name = "";
    for (RecordBatch batch : MemoryRecords.readableRecords(snapshot).batches()) {
      batch.ensureValid();
      if (batch.isControlBatch()) {
        continue;
      }
      for (Record record : batch) {
        ApiMessage message = message(record.value());
        if (message instanceof TopicRecord topic && topic.topicId().equals(topicId)) {
          name = topic.name();
        } else if (message instanceof ConfigRecord config
            && config.resourceType() == ConfigResource.Type.TOPIC.id()) {
          byTopic
              .computeIfAbsent(config.resourceName(), fresh -> new HashMap<>())
              .put(config.name(), config.value());
        }
      }
    }
    return name.isEmpty()
        ? unknown("the newest backup of its metadata does not know the topic")
        : new SavedConfigs(byTopic.getOrDefault(name, Map.of()), "");
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
