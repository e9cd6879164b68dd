package io.strandline.tests.transaction;

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
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Real clients of one broker, of whichever make. */
record TransactionClients(String bootstrap) {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  KafkaProducer<String, String> producer(String transactionalId, Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("bootstrap.servers", bootstrap);
    all.put("transactional.id", transactionalId);
    return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
  }

  KafkaProducer<String, String> begun(String transactionalId) {
    return begun(transactionalId, Map.of());
  }

  /** In a transaction. */
  KafkaProducer<String, String> begun(String transactionalId, Map<String, Object> settings) {
    KafkaProducer<String, String> producer = producer(transactionalId, settings);
    producer.initTransactions();
    producer.beginTransaction();
    return producer;
  }

  static void send(KafkaProducer<String, String> producer, String topic, String... values) {
    for (String value : values) {
      producer.send(new ProducerRecord<>(topic, value, value));
    }
    producer.flush();
  }

  TopicPartition topic(String name, Map<String, String> configs) {
    try (Admin admin = admin()) {
      NewTopic topic = new NewTopic(name, Optional.of(1), Optional.empty());
      topic.configs(configs);
      get(admin.createTopics(List.of(topic)).all());
    }
    TopicPartition partition = new TopicPartition(name, 0);
    await(
        "the topic",
        () -> {
          try (Admin admin = admin()) {
            return admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get() != null;
          } catch (ExecutionException | InterruptedException e) {
            return false;
          }
        });
    return partition;
  }

  void transactionVersion(int version) {
    try (Admin admin = admin()) {
      if (finalized(admin) == version) {
        return;
      }
      FeatureUpdate.UpgradeType type =
          version > finalized(admin)
              ? FeatureUpdate.UpgradeType.UPGRADE
              : FeatureUpdate.UpgradeType.SAFE_DOWNGRADE;
      get(
          admin
              .updateFeatures(
                  Map.of("transaction.version", new FeatureUpdate((short) version, type)),
                  new UpdateFeaturesOptions())
              .all());
      await("the feature", () -> finalized(admin) == version);
    }
  }

  private static int finalized(Admin admin) {
    var feature =
        get(admin.describeFeatures().featureMetadata())
            .finalizedFeatures()
            .get("transaction.version");
    return feature == null ? 0 : feature.maxVersionLevel();
  }

  /** All values from the start to the end that readers of this isolation are told of. */
  List<String> read(TopicPartition partition, IsolationLevel isolation) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = consumer(isolation)) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (consumer.position(partition) < end) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError("no end of " + partition + " after " + values.size());
        }
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          values.add(record.value());
        }
      }
    }
    return values;
  }

  private KafkaConsumer<String, String> consumer(IsolationLevel isolation) {
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            bootstrap,
            "isolation.level",
            isolation.toString().toLowerCase(),
            "auto.offset.reset",
            "latest");
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  /** Reads what is committed from now on. */
  KafkaConsumer<String, String> latest() {
    return consumer(IsolationLevel.READ_COMMITTED);
  }

  List<String> committed(TopicPartition partition) {
    return read(partition, IsolationLevel.READ_COMMITTED);
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
