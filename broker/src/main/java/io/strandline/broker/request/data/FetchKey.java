package io.strandline.broker.request.data;

import org.apache.kafka.common.Uuid;

/**
 * A partition as a fetch names it: by topic id from version 13 on, by name before.
 *
 * @param topic empty when named by id
 * @param topicId zero when named by name
 */
record FetchKey(String topic, Uuid topicId, int partition) {
  static FetchKey of(String topic, Uuid topicId, int partition) {
    return topicId.equals(Uuid.ZERO_UUID)
        ? new FetchKey(topic, topicId, partition)
        : new FetchKey("", topicId, partition);
  }

  boolean byId() {
    return topic.isEmpty();
  }
}
