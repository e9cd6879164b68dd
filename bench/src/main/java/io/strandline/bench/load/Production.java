package io.strandline.bench.load;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * How records are produced: acks=all and idempotent, everything not named here as the producer has
 * it by itself.
 *
 * @param partitions of the topic; the producer spreads over them as it does by itself
 * @param batchBytes {@code batch.size}
 * @param codec {@code compression.type}
 */
record Production(Payload payload, int partitions, int batchBytes, int lingerMillis, String codec) {
  Map<String, Object> config(String bootstrap) {
    return config(Map.of("bootstrap.servers", bootstrap));
  }

  /** Where the connection is described by more than an address. */
  Map<String, Object> config(Map<String, Object> connection) {
    Map<String, Object> config = new LinkedHashMap<>(connection);
    config.put("key.serializer", ByteArraySerializer.class.getName());
    config.put("value.serializer", ByteArraySerializer.class.getName());
    config.put("acks", "all");
    config.put("enable.idempotence", "true");
    config.put("batch.size", batchBytes);
    config.put("linger.ms", lingerMillis);
    config.put("compression.type", codec);
    // Every partition gets the same, however slow one is: what is read later shall be comparable.
    config.put("partitioner.adaptive.partitioning.enable", "false");
    return config;
  }
}
