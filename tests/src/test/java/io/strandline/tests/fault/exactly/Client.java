package io.strandline.tests.fault.exactly;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** A client on a thread of its own, until it is told to stop. */
abstract class Client implements AutoCloseable {
  /** A key for each record, so that segments are filled, sealed and released while this goes on. */
  private static final String PADDING = "x".repeat(4_000);

  private final String name;
  private final Thread thread;
  private volatile boolean stopped;

  Client(String name, Ledger ledger) {
    this.name = name;
    this.thread =
        new Thread(
            () -> {
              try {
                run();
              } catch (Exception | Error thrown) {
                ledger.failed(thrown);
              }
            },
            name);
    this.thread.setDaemon(true);
  }

  abstract void run() throws Exception;

  void start() {
    thread.start();
  }

  String name() {
    return name;
  }

  boolean stopped() {
    return stopped;
  }

  void stop() {
    stopped = true;
  }

  void join() throws InterruptedException {
    thread.join();
  }

  @Override
  public void close() {
    stop();
    thread.interrupt();
  }

  /** What may be asked again when its answer is late, asked until it is answered. */
  static void insist(Runnable call, BooleanSupplier givesUp) {
    while (true) {
      try {
        call.run();
        return;
      } catch (TimeoutException late) {
        if (givesUp.getAsBoolean()) {
          throw late;
        }
      }
    }
  }

  static ProducerRecord<String, String> record(TopicPartition to, Entry entry) {
    return new ProducerRecord<>(to.topic(), to.partition(), PADDING, entry.value());
  }

  /** A producer that sends again what was not answered, whether or not it is there. */
  static KafkaProducer<String, String> repeatingProducer(String bootstrap) {
    Map<String, Object> settings = producerSettings(bootstrap);
    settings.put("enable.idempotence", false);
    settings.put("max.in.flight.requests.per.connection", 1);
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  /**
   * @param transactionalId empty for a plain, idempotent producer
   */
  static KafkaProducer<String, String> producer(String bootstrap, String transactionalId) {
    Map<String, Object> settings = producerSettings(bootstrap);
    if (!transactionalId.isEmpty()) {
      settings.put("transactional.id", transactionalId);
      settings.put("transaction.timeout.ms", 20_000);
    }
    return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
  }

  private static Map<String, Object> producerSettings(String bootstrap) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("linger.ms", 2);
    settings.put("request.timeout.ms", 5_000);
    settings.put("max.block.ms", 10_000);
    settings.put("reconnect.backoff.max.ms", 200);
    settings.put("acks", "all");
    return settings;
  }

  /**
   * @param group empty for none
   */
  static KafkaConsumer<String, String> consumer(
      String bootstrap, IsolationLevel isolation, String group) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("isolation.level", isolation.toString().toLowerCase(Locale.ROOT));
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", false);
    settings.put("max.poll.records", 20);
    settings.put("request.timeout.ms", 5_000);
    settings.put("reconnect.backoff.max.ms", 200);
    if (!group.isEmpty()) {
      settings.put("group.id", group);
      settings.put("session.timeout.ms", 6_000);
      settings.put("heartbeat.interval.ms", 500);
    }
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }
}
