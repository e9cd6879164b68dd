package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.Result;
import io.minio.messages.Item;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.store.S3MockProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The object store hangs or is gone while clients write, follow the tail and read history: writers
 * and followers do not notice, readers of history wait without an error, and all goes on after.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class StoreOutageTest {
  private static final String BUCKET = "strandline";
  private static final int HISTORY_RECORDS = 6_000;
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  /** What the mock takes. */
  private static final Map<String, String> ANY_KEYS =
      Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any-secret");

  @TempDir static Path dir;
  private static S3MockProcess store;
  private static BrokerProcess broker;

  @BeforeAll
  static void start() throws Exception {
    System.out.println("StoreOutageTest: -Dfault.seed=" + SEED);
    store = S3MockProcess.start(dir.resolve("s3"), BUCKET);
    broker = BrokerProcess.start(dir.resolve("broker"), settings("one"), ANY_KEYS);
  }

  @AfterAll
  static void stop() throws Exception {
    broker.close();
    store.close();
  }

  /** The cache holds little, so that history has to come from the store. */
  private static Map<String, String> settings(String prefix) {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put(
        "strandline.object.store",
        "s3://" + BUCKET + "/" + prefix + "?endpoint=" + store.endpoint());
    settings.put("strandline.cache.memory.bytes", Integer.toString(4 << 20));
    settings.put("strandline.cache.disk.bytes", "0");
    settings.put("strandline.tier.grace.ms", "0"); // nobody reads what is deleted here
    return settings;
  }

  @Test
  void aStoreThatHangsDisturbsNobody() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "hangs");
    outage(partition, () -> store.freeze(), () -> store.thaw());
  }

  @Test
  void aStoreThatIsGoneDisturbsNobodyAndABrokerStartsWithoutIt() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "gone");
    outage(partition, () -> store.kill(), () -> store.startAgain());
    store.kill();
    assertThat(broker.stop()).as("exit code of a stop without the store").isZero();
    broker.startAgain();
    assertThat(broker.output()).contains("starting without it");
    assertThat(broker.admin("/healthz").status()).isEqualTo(200);
    TopicPartition fresh = Topics.create(broker.bootstrap(), "fresh");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), fresh, SEED)) {
      writer.awaitMore(3_000);
      writer.finish();
      store.startAgain();
      Topics.awaitReleased(broker.bootstrap(), fresh, 1_000);
      NumberedReader.verify(broker.bootstrap(), fresh, SEED, writer.acknowledged());
    }
  }

  /** The broker has never seen the store when the topic goes, and is killed before it does. */
  @Test
  void aTopicDeletedBeforeTheStoreEverAnsweredLeavesNothingThere() throws Exception {
    TopicPartition partition = Topics.create(broker.bootstrap(), "doomed");
    Uuid id = Topics.id(broker.bootstrap(), "doomed");
    try (NumberedWriter writer = new NumberedWriter(broker.bootstrap(), partition, SEED)) {
      writer.awaitMore(HISTORY_RECORDS);
      writer.finish();
    }
    Topics.awaitReleased(broker.bootstrap(), partition, 1_000);
    assertThat(objectsOf(id)).isPositive();
    store.kill();
    broker.kill();
    broker.startAgain();
    Topics.delete(broker.bootstrap(), "doomed");
    Path local = dir.resolve("broker").resolve("data").resolve(partition.toString());
    Waiting.until("the local log is gone", () -> Files.notExists(local));
    broker.kill();
    store.startAgain();
    broker.startAgain();
    Waiting.until("nothing of the topic is left", () -> objectsOf(id) == 0);
  }

  private static MinioClient minio() {
    return MinioClient.builder()
        .endpoint(store.endpoint())
        .credentials("any", "any-secret")
        .build();
  }

  /** Segments: the manifest, which says that the topic was deleted, stays. */
  private static int objectsOf(Uuid topic) throws Exception {
    int count = 0;
    for (Result<Item> item :
        minio().listObjects(ListObjectsArgs.builder().bucket(BUCKET).recursive(true).build())) {
      String name = item.get().objectName();
      count += name.contains(topic.toString()) && name.endsWith(".seg") ? 1 : 0;
    }
    return count;
  }

  @Test
  void aPrefixOfAnotherClusterRefusesTheStart() throws Exception {
    BrokerProcess.Refusal refusal =
        BrokerProcess.startRefused(dir.resolve("foreign"), settings("one"), ANY_KEYS);
    assertThat(refusal.exitCode()).isEqualTo(1);
    assertThat(refusal.said()).singleElement().asString().contains("belongs to cluster");
  }

  /** A step that takes the store away or brings it back. */
  private interface Step {
    void run() throws Exception;
  }

  private static void outage(TopicPartition partition, Step away, Step back) throws Exception {
    String bootstrap = broker.bootstrap();
    try (NumberedWriter writer = new NumberedWriter(bootstrap, partition, SEED);
        NumberedReader hot = new NumberedReader(bootstrap, partition, SEED);
        NumberedReader cold = new NumberedReader(bootstrap, partition, SEED)) {
      writer.awaitMore(HISTORY_RECORDS);
      Topics.awaitReleased(bootstrap, partition, HISTORY_RECORDS * 3 / 4);
      cold.readTo(HISTORY_RECORDS / 10);
      hot.seekTo(writer.acknowledged().size());
      long during;
      away.run();
      try {
        awaitEmptyAnswers(cold);
        assertThat(cold.next()).as("where history ends for now").isLessThan(HISTORY_RECORDS / 2);
        writer.awaitMore(2_000);
        during = writer.acknowledged().size();
        hot.readTo(during);
        assertThat(cold.poll(Duration.ofMillis(1_100))).as("history without a store").isZero();
      } finally {
        back.run();
      }
      cold.readTo(HISTORY_RECORDS / 2);
      writer.awaitMore(2_000); // so that what came during the outage is sealed and not the newest
      writer.finish();
      Topics.awaitReleased(bootstrap, partition, during);
      NumberedReader.verify(bootstrap, partition, SEED, writer.acknowledged());
    }
  }

  /** What was read ahead still comes; then three answers without anything, and no error. */
  private static void awaitEmptyAnswers(NumberedReader cold) {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    for (int empty = 0; empty < 3; ) {
      empty = cold.poll(Duration.ofSeconds(1)) == 0 ? empty + 1 : 0;
      assertThat(System.nanoTime()).as("waited for empty answers").isLessThan(deadline);
    }
  }
}
