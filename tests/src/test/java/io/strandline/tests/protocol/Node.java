package io.strandline.tests.protocol;

import io.strandline.broker.BrokerConfig;
import io.strandline.broker.Strandline;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A broker in this process, on a free port, and clients for it. */
final class Node implements AutoCloseable {
  private final Strandline broker;

  Node(Path dir, Map<String, String> settings) {
    Map<String, String> all = new HashMap<>();
    all.put("listeners", "PLAINTEXT://127.0.0.1:0");
    all.put("log.dirs", dir.resolve("data").toString());
    all.put("strandline.admin.listener", "off");
    all.put("strandline.object.store", "file:" + dir.resolve("objects"));
    all.put("strandline.tier.gather.ms", "0");
    all.put("strandline.tier.upload.min.bytes", "0");
    all.put("group.initial.rebalance.delay.ms", "0");
    all.put("offsets.topic.num.partitions", "4");
    all.put("group.consumer.min.heartbeat.interval.ms", "500");
    all.put("group.consumer.heartbeat.interval.ms", "500");
    all.putAll(settings);
    broker = Strandline.start(BrokerConfig.of(all));
  }

  String bootstrap() {
    return "127.0.0.1:" + port();
  }

  int port() {
    return port("PLAINTEXT");
  }

  int port(String listener) {
    return broker.port(listener);
  }

  Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", bootstrap()));
  }

  KafkaProducer<String, String> producer(Map<String, String> settings) {
    Properties properties = properties(settings);
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  KafkaConsumer<String, String> consumer(Map<String, String> settings) {
    Properties properties = properties(settings);
    properties.putIfAbsent("auto.offset.reset", "earliest");
    properties.putIfAbsent("enable.auto.commit", "false");
    return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
  }

  private Properties properties(Map<String, String> settings) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap());
    properties.putAll(settings);
    return properties;
  }

  static <T> T get(KafkaFuture<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException | java.util.concurrent.TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }

  @Override
  public void close() {
    broker.close();
  }
}
