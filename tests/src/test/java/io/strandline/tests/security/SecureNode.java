package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.BrokerConfig;
import io.strandline.broker.Strandline;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A broker in this process with listeners of all kinds on free ports, and clients for them. */
final class SecureNode implements AutoCloseable {
  private final Strandline broker;

  SecureNode(Path dir, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>();
    all.put("log.dirs", dir.resolve("data").toString());
    all.put("strandline.admin.listener", "off");
    all.put("strandline.object.store", "file:" + dir.resolve("objects"));
    all.put("group.initial.rebalance.delay.ms", "0");
    all.put("offsets.topic.num.partitions", "1");
    all.put("connection.failed.authentication.delay.ms", "10");
    all.putAll(settings);
    broker = Strandline.start(BrokerConfig.of(all));
  }

  /** What its admin listener tells Prometheus, if it has one. */
  String metrics() throws IOException {
    int port = broker.adminAddress().orElseThrow().getPort();
    try (InputStream in =
        URI.create("http://127.0.0.1:" + port + "/metrics").toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  int port(String listener) {
    return broker.port(listener);
  }

  Admin admin(String listener, Map<String, String> client) {
    return Admin.create(Map.copyOf(of(listener, client)));
  }

  KafkaProducer<String, String> producer(String listener, Map<String, String> client) {
    Properties properties = new Properties();
    properties.putAll(of(listener, client));
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  KafkaConsumer<String, String> consumer(String listener, Map<String, String> client) {
    Properties properties = new Properties();
    properties.putAll(of(listener, client));
    properties.putIfAbsent("auto.offset.reset", "earliest");
    properties.putIfAbsent("enable.auto.commit", "false");
    return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
  }

  private Map<String, Object> of(String listener, Map<String, String> client) {
    Map<String, Object> all = new HashMap<>();
    all.put("bootstrap.servers", "127.0.0.1:" + port(listener));
    all.put("default.api.timeout.ms", "30000");
    all.put("reconnect.backoff.max.ms", "200");
    all.putAll(client);
    return all;
  }

  static void create(Admin admin, String topic) {
    try {
      get(admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all());
    } catch (TopicExistsException there) {
      // as wanted
    }
  }

  /** Creates a topic, writes, and reads in a group what was written. */
  void journey(String listener, Map<String, String> client, String topic) {
    try (Admin admin = admin(listener, client)) {
      create(admin, topic);
    }
    try (KafkaProducer<String, String> producer = producer(listener, client)) {
      for (int i = 0; i < 20; i++) {
        send(producer, topic, "value-" + i);
      }
    }
    Map<String, String> grouped = new HashMap<>(client);
    grouped.put("group.id", "group-of-" + topic);
    try (KafkaConsumer<String, String> consumer = consumer(listener, grouped)) {
      consumer.subscribe(List.of(topic));
      int[] seen = {0};
      await(
          "20 records",
          () -> {
            consumer.poll(Duration.ofMillis(100)).forEach(r -> seen[0]++);
            return seen[0] == 20;
          });
      consumer.commitSync();
    }
  }

  static void send(KafkaProducer<String, String> producer, String topic, String value) {
    try {
      producer.send(new ProducerRecord<>(topic, value)).get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  static <T> T get(KafkaFuture<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException | TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waited in vain for " + what).isLessThan(deadline);
      LockSupport.parkNanos(20_000_000L);
    }
  }

  @Override
  public void close() {
    broker.close();
  }
}
