package io.strandline.broker;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The command {@code strandline rehearse}, by which the launcher makes its archive of class data: a
 * node in a directory that is thrown away starts, is asked once by a client of its own what clients
 * ask most, and ends. The archive holds what was loaded by then (JEP 350), so that a node has not
 * to find, parse and check the classes that serve a client while its first one waits.
 */
final class Rehearsing {
  static final String NAME = "rehearse";

  private static final String HELP =
      """
      Usage: strandline rehearse DIR

      Starts a node of its own with its data in DIR, writes to it and reads from it, and ends. The
      launcher has it made class data by that.\
      """;

  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final TopicPartition PARTITION = new TopicPartition("rehearsal", 0);

  private final Map<String, Object> known;

  private Rehearsing(String address) {
    this.known =
        Map.of(
            CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG,
            address,
            CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG,
            (int) LIMIT.toMillis(),
            CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG,
            (int) LIMIT.toMillis());
  }

  /**
   * Runs the command.
   *
   * @throws ConfigError for wrong usage
   * @throws StartException the node did not start, or did not serve its client
   */
  static int run(List<String> args) {
    if (args.size() != 1 || args.get(0).startsWith("-")) {
      throw new ConfigError(HELP);
    }
    BrokerConfig config =
        Main.configure(
            List.of(
                "--set",
                "log.dirs=" + args.get(0),
                "--set",
                "listeners=PLAINTEXT://127.0.0.1:0",
                "--set",
                "strandline.admin.listener=127.0.0.1:0",
                "--set",
                "offsets.topic.num.partitions=1",
                "--set",
                "transaction.state.log.num.partitions=1",
                "--set",
                "group.initial.rebalance.delay.ms=0"),
            Map.of());
    try (Strandline node = Strandline.start(config)) {
      new Rehearsing("127.0.0.1:" + node.port("PLAINTEXT")).play();
    }
    return 0;
  }

  private void play() {
    try (Admin admin = Admin.create(known)) {
      admin
          .createTopics(List.of(new NewTopic(PARTITION.topic(), 1, (short) 1)))
          .all()
          .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      write();
      for (GroupProtocol protocol : GroupProtocol.values()) {
        read(protocol.name().toLowerCase(Locale.ROOT));
      }
      admin
          .deleteTopics(List.of(PARTITION.topic()))
          .all()
          .get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException | KafkaException e) {
      throw new StartException("the node does not serve its own client: " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted", e);
    }
  }

  /** A record by an idempotent producer, and one of a transaction. */
  private void write() throws ExecutionException, InterruptedException, TimeoutException {
    StringSerializer text = new StringSerializer();
    try (KafkaProducer<String, String> plain = new KafkaProducer<>(known, text, text)) {
      plain.send(record("plain")).get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    }
    Map<String, Object> settings = new HashMap<>(known);
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "rehearsal");
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, LIMIT.toMillis());
    try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, text, text)) {
      producer.initTransactions();
      producer.beginTransaction();
      var unused = producer.send(record("in a transaction"));
      producer.commitTransaction();
    }
  }

  private static ProducerRecord<String, String> record(String value) {
    return new ProducerRecord<>(PARTITION.topic(), PARTITION.partition(), "key", value);
  }

  private void read(String protocol) throws TimeoutException {
    Map<String, Object> settings = new HashMap<>(known);
    settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol);
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, "rehearsal-" + protocol);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    StringDeserializer text = new StringDeserializer();
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, text, text)) {
      consumer.subscribe(Set.of(PARTITION.topic()));
      long end = System.nanoTime() + LIMIT.toNanos();
      int read = 0;
      while (read < 2) {
        if (System.nanoTime() - end > 0) {
          throw new TimeoutException("nothing to read for " + protocol + " groups");
        }
        read += consumer.poll(Duration.ofMillis(100)).count();
      }
      consumer.commitSync(Map.of(PARTITION, new OffsetAndMetadata(read)));
    }
  }
}
