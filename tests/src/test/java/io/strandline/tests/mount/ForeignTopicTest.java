package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ForeignTopicTest {
  private static final TopicPartition THEIRS = new TopicPartition("trips", 0);
  private static final TopicPartition SHOWN = new TopicPartition("live", 0);

  @TempDir Path dir;

  @Test
  void aMountedTopicIsReadAsItGrowsAndNeverWritten() throws Exception {
    try (TwoClusters clusters = new TwoClusters(dir)) {
      BrokerProcess there = clusters.there;
      BrokerProcess here = clusters.here;
      long first = tiered(there, 0, 1_500);
      List<String> said =
          clusters.tier(
              "mount",
              "--from",
              "file:" + clusters.theirObjects,
              "--topic",
              "trips",
              "--as",
              "live",
              "--bootstrap",
              here.bootstrap());
      assertThat(said).anyMatch(line -> line.contains("all partitions"));
      assertThat(TwoClusters.offset(here, SHOWN, OffsetSpec.latest()))
          .isGreaterThanOrEqualTo(first);
      assertThat(TwoClusters.read(here, SHOWN, 0)).isEqualTo(numbers(0, shownEnd(here)));
      assertThat(timeOf(here, 700)).isEqualTo(700);
      nothingCanBeWritten(here);
      try (KafkaConsumer<String, String> member = TwoClusters.consumer(here, "readers")) {
        member.subscribe(List.of("live"));
        consume(member, 100);
        long more = tiered(there, 1_500, 3_000);
        TwoClusters.until("what was tiered meanwhile", () -> shownEnd(here) >= more);
        consume(member, 1_200);
        theirRetentionGoesOn(there, here);
      }
      here.kill();
      here.startAgain();
      TwoClusters.until("the mount after a restart", () -> shownEnd(here) > 0);
      assertThat(TwoClusters.read(here, SHOWN, 2_000)).isEqualTo(numbers(2_000, shownEnd(here)));
      there.kill();
      Map<String, String> before = TwoClusters.files(clusters.theirObjects);
      clusters.tier("unmount", "--bootstrap", here.bootstrap(), "live");
      TwoClusters.until("the topic is gone", () -> !topics(here).contains("live"));
      assertThat(TwoClusters.files(clusters.theirObjects)).isEqualTo(before);
      there.startAgain();
      assertThat(TwoClusters.read(there, THEIRS, 2_000)).hasSize(1_000);
    }
  }

  private static void nothingCanBeWritten(BrokerProcess here) throws Exception {
    try (KafkaProducer<String, String> producer = TwoClusters.producer(here)) {
      assertThatThrownBy(() -> producer.send(new ProducerRecord<>("live", 0, "k", "v")).get())
          .hasCauseInstanceOf(PolicyViolationException.class)
          .hasMessageContaining("read-only mount");
    }
    try (Admin admin = TwoClusters.admin(here)) {
      var asked = admin.deleteRecords(Map.of(SHOWN, RecordsToDelete.beforeOffset(5)));
      assertThatThrownBy(() -> asked.all().get())
          .hasCauseInstanceOf(PolicyViolationException.class);
    }
  }

  /**
   * The reader's next offset is deleted there: it is told so, and goes on where its policy says.
   */
  private static void theirRetentionGoesOn(BrokerProcess there, BrokerProcess here)
      throws Exception {
    try (Admin admin = TwoClusters.admin(there)) {
      admin.deleteRecords(Map.of(THEIRS, RecordsToDelete.beforeOffset(2_000))).all().get();
    }
    TwoClusters.until(
        "the start moves", () -> TwoClusters.offset(here, SHOWN, OffsetSpec.earliest()) == 2_000);
    try (KafkaConsumer<String, String> late = TwoClusters.consumer(here, "none")) {
      late.assign(List.of(SHOWN));
      late.seek(SHOWN, 1_000);
      assertThat(consume(late, 1).offset()).isEqualTo(2_000);
    }
  }

  @Test
  void aRestoredTopicGoesOnAndItsOriginStaysAsItIs() throws Exception {
    TopicPartition restored = THEIRS;
    try (TwoClusters clusters = new TwoClusters(dir)) {
      BrokerProcess here = clusters.here;
      long end = tiered(clusters.there, 0, 2_500);
      clusters.there.kill();
      Map<String, String> before = TwoClusters.files(clusters.theirObjects);
      List<String> said =
          clusters.tier(
              "restore",
              "topic",
              "--from",
              "file:" + clusters.theirObjects,
              "--topic",
              "trips",
              "--bootstrap",
              here.bootstrap(),
              "-c",
              "segment.bytes=1048576",
              "-c",
              "retention.ms=-1",
              "--json");
      assertThat(said)
          .filteredOn(line -> line.startsWith("{\"partition\":0"))
          .singleElement()
          .asString()
          .contains("\"start\":0", "\"end\":" + end, "\"tierEnd\":" + end);
      assertThat(TwoClusters.read(here, restored, 0)).isEqualTo(numbers(0, end));
      String ours = "file:" + clusters.ourObjects;
      String theirs = "file:" + clusters.theirObjects;
      assertThat(clusters.tier("verify", "--store", ours, "--other", theirs, "--grace", "PT0S"))
          .anyMatch(line -> line.contains("foreign") && line.contains("read in"))
          .anyMatch(line -> line.contains("sound"));
      assertThat(clusters.tier("verify", "--store", ours, "--grace", "PT0S"))
          .anyMatch(line -> line.contains("foreign") && line.contains("not read"))
          .anyMatch(line -> line.contains("sound"));
      assertThat(clusters.replay("trips", "--store", ours, "--other", theirs, "--partition", "0"))
          .hasSize((int) end);
      TwoClusters.produce(here, "trips", 2, 2_500, 5_000);
      TreeMap<Long, Integer> all = numbers(0, end);
      IntStream.range(2_500, 5_000).forEach(i -> all.put(end + i - 2_500, i));
      TwoClusters.until(
          "new segments in the tier of its own",
          () -> TwoClusters.offset(here, restored, OffsetSpec.latestTiered()) > end + 1_000);
      assertThat(TwoClusters.read(here, restored, 0)).isEqualTo(all);
      here.kill();
      here.startAgain();
      TwoClusters.until(
          "the topic after a restart",
          () -> TwoClusters.offset(here, restored, OffsetSpec.latest()) == end + 2_500);
      assertThat(TwoClusters.read(here, restored, 0)).isEqualTo(all);
      try (Admin admin = TwoClusters.admin(here)) {
        admin.deleteRecords(Map.of(restored, RecordsToDelete.beforeOffset(end - 100))).all().get();
        assertThat(TwoClusters.read(here, restored, end - 100)).isEqualTo(all.tailMap(end - 100));
        admin.deleteTopics(List.of("trips")).all().get();
      }
      TwoClusters.until(
          "its own objects are gone",
          () ->
              TwoClusters.files(clusters.ourObjects).keySet().stream()
                  .noneMatch(name -> name.endsWith(".seg")));
      assertThat(TwoClusters.files(clusters.theirObjects)).isEqualTo(before);
      clusters.tier("verify", "--store", "file:" + clusters.theirObjects);
    }
  }

  /** What retention left nothing of: its offsets are not given out again, nor shown as 0. */
  @Test
  void anEmptiedTopicGoesOnWhereItEnded() throws Exception {
    try (TwoClusters clusters = new TwoClusters(dir)) {
      tiered(clusters.there, 0, 1_500);
      try (Admin admin = TwoClusters.admin(clusters.there)) {
        admin.deleteRecords(Map.of(THEIRS, RecordsToDelete.beforeOffset(-1))).all().get();
      }
      TwoClusters.until(
          "its tier is empty",
          () ->
              clusters.tier("ls", "--json", "--store", "file:" + clusters.theirObjects).stream()
                  .anyMatch(line -> line.contains("-0\"") && line.contains("\"end\":1500")));
      clusters.there.kill();
      String from = "file:" + clusters.theirObjects;
      String to = clusters.here.bootstrap();
      clusters.tier(
          "restore",
          "topic",
          "--from",
          from,
          "--topic",
          "trips",
          "--bootstrap",
          to,
          "-c",
          "retention.ms=-1");
      clusters.tier("mount", "--from", from, "--topic", "trips", "--as", "live", "--bootstrap", to);
      for (TopicPartition shown : List.of(THEIRS, SHOWN)) {
        for (OffsetSpec end : List.of(OffsetSpec.earliest(), OffsetSpec.latest())) {
          assertThat(TwoClusters.offset(clusters.here, shown, end))
              .as("%s", shown)
              .isEqualTo(1_500);
        }
      }
      TwoClusters.produce(clusters.here, "trips", 1, 1_500, 1_510);
      assertThat(TwoClusters.read(clusters.here, THEIRS, 1_500)).isEqualTo(numbers(1_500, 1_510));
      clusters.here.kill();
      clusters.here.startAgain();
      TwoClusters.until(
          "the topic after a restart",
          () -> TwoClusters.offset(clusters.here, THEIRS, OffsetSpec.latest()) == 1_510);
      assertThat(TwoClusters.offset(clusters.here, THEIRS, OffsetSpec.earliest())).isEqualTo(1_500);
    }
  }

  /** Produces there until something of it, and all before, is tiered; gives the tier's end. */
  private static long tiered(BrokerProcess there, int from, int to) throws Exception {
    if (from == 0) {
      TwoClusters.create(there, "trips", 2);
    }
    TwoClusters.produce(there, "trips", 2, from, to);
    TwoClusters.until(
        "most of it is tiered",
        () -> TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) > to - 600);
    return TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) + 1;
  }

  private static TreeMap<Long, Integer> numbers(long from, long to) {
    TreeMap<Long, Integer> numbers = new TreeMap<>();
    for (long i = from; i < to; i++) {
      numbers.put(i, (int) i);
    }
    return numbers;
  }

  private static long shownEnd(BrokerProcess here) throws Exception {
    return TwoClusters.offset(here, SHOWN, OffsetSpec.latest());
  }

  private static long timeOf(BrokerProcess here, int number) throws Exception {
    return TwoClusters.offset(here, SHOWN, OffsetSpec.forTimestamp(1_000L * number));
  }

  private static Set<String> topics(BrokerProcess at) throws Exception {
    try (Admin admin = TwoClusters.admin(at)) {
      return admin.listTopics().names().get();
    }
  }

  /** Reads so many records and commits; gives the last. */
  private static ConsumerRecord<String, String> consume(
      KafkaConsumer<String, String> member, int count) {
    List<ConsumerRecord<String, String>> seen = new ArrayList<>();
    TwoClusters.until(
        count + " records",
        () -> {
          for (ConsumerRecord<String, String> r : member.poll(Duration.ofMillis(100))) {
            seen.add(r);
          }
          return seen.size() >= count;
        });
    ConsumerRecord<String, String> last = seen.get(count - 1);
    TopicPartition partition = new TopicPartition(last.topic(), last.partition());
    member.commitSync(Map.of(partition, new OffsetAndMetadata(last.offset() + 1)));
    return last;
  }
}
