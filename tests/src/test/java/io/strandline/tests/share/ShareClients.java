package io.strandline.tests.share;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Real clients of one broker, of whichever make. */
record ShareClients(String bootstrap) {
  static final Duration POLL = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  /** A topic of one partition, and a group of its name that begins at its start. */
  TopicPartition topic(String name, Map<String, String> groupConfigs) {
    TopicPartition partition = new TopicPartition(name, 0);
    try (Admin admin = admin()) {
      get(admin.createTopics(List.of(new NewTopic(name, Optional.of(1), Optional.empty()))).all());
      List<AlterConfigOp> set = new ArrayList<>();
      Map<String, String> configs = new HashMap<>(groupConfigs);
      configs.putIfAbsent("share.auto.offset.reset", "earliest");
      configs.forEach(
          (key, value) ->
              set.add(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, name);
      get(admin.incrementalAlterConfigs(Map.of(group, set)).all());
      await(
          "the topic",
          () -> {
            try {
              return admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get() != null;
            } catch (ExecutionException | InterruptedException e) {
              return false;
            }
          });
    }
    return partition;
  }

  void produce(String topic, int from, int to) {
    try (KafkaProducer<String, String> producer = producer(Map.of())) {
      for (int i = from; i < to; i++) {
        producer.send(new ProducerRecord<>(topic, "v" + i));
      }
    }
  }

  KafkaProducer<String, String> producer(Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("bootstrap.servers", bootstrap);
    return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
  }

  /** A member of the group of the topic's name. */
  ShareConsumer<String, String> consumer(String topic, Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("bootstrap.servers", bootstrap);
    all.put("group.id", topic);
    ShareConsumer<String, String> consumer =
        new KafkaShareConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of(topic));
    return consumer;
  }

  ShareConsumer<String, String> explicit(String topic) {
    return consumer(topic, Map.of("share.acknowledgement.mode", "explicit"));
  }

  /** Polls until something comes. */
  static List<ConsumerRecord<String, String>> some(ShareConsumer<String, String> consumer) {
    List<ConsumerRecord<String, String>> got = new ArrayList<>();
    await(
        "records",
        () -> {
          consumer.poll(POLL).forEach(got::add);
          return !got.isEmpty();
        });
    return got;
  }

  /** What comes in a while, in which what is there would come. */
  static List<ConsumerRecord<String, String>> rest(ShareConsumer<String, String> consumer) {
    List<ConsumerRecord<String, String>> got = new ArrayList<>();
    for (int quiet = 0; quiet < 5; quiet++) {
      for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
        got.add(record);
        quiet = 0;
      }
    }
    return got;
  }

  static List<Long> offsets(List<ConsumerRecord<String, String>> records) {
    return records.stream().map(ConsumerRecord::offset).toList();
  }

  static List<Integer> deliveries(List<ConsumerRecord<String, String>> records) {
    return records.stream().map(record -> (int) record.deliveryCount().orElseThrow()).toList();
  }

  static SharePartitionOffsetInfo position(Admin admin, TopicPartition partition) {
    String group = partition.topic();
    return get(admin
            .listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(group))
        .get(partition);
  }

  static <T> T get(KafkaFuture<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }
}
