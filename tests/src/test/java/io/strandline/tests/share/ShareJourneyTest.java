package io.strandline.tests.share;

import static io.strandline.tests.share.ShareClients.deliveries;
import static io.strandline.tests.share.ShareClients.get;
import static io.strandline.tests.share.ShareClients.offsets;
import static io.strandline.tests.share.ShareClients.rest;
import static io.strandline.tests.share.ShareClients.some;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Share groups as Kafka's own clients see them. The same holds of Apache Kafka, given as {@code
 * -Dshare.peer=host:port}, but for its sudden death.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShareJourneyTest {
  private static final Map<String, String> SHORT_LOCK =
      Map.of("share.record.lock.duration.ms", "1500");

  @TempDir static Path dir;
  private BrokerProcess broker;
  private ShareClients clients;

  @BeforeAll
  void start() throws Exception {
    String peer = System.getProperty("share.peer", "");
    if (peer.isEmpty()) {
      broker =
          BrokerProcess.start(
              dir,
              Map.of(
                  "strandline.object.store", "file:" + dir.resolve("objects"),
                  "group.share.min.record.lock.duration.ms", "1000",
                  "group.share.min.heartbeat.interval.ms", "200",
                  "group.share.heartbeat.interval.ms", "200",
                  "group.share.assignment.interval.ms", "0",
                  "share.coordinator.state.topic.num.partitions", "3",
                  "offsets.topic.num.partitions", "2"));
      peer = broker.bootstrap();
    }
    clients = new ShareClients(peer);
  }

  @AfterAll
  void stop() throws Exception {
    if (broker != null) {
      broker.close();
    }
  }

  private static List<Long> upTo(long end) {
    return LongStream.range(0, end).boxed().toList();
  }

  @Test
  void whatIsPolledIsAcknowledgedByTheNextPoll() {
    TopicPartition topic = clients.topic("implicit", Map.of());
    clients.produce("implicit", 0, 50);
    List<ConsumerRecord<String, String>> got = new ArrayList<>();
    try (ShareConsumer<String, String> consumer = clients.consumer("implicit", Map.of());
        Admin admin = clients.admin()) {
      ShareClients.await(
          "all",
          () -> {
            consumer.poll(ShareClients.POLL).forEach(got::add);
            return got.size() >= 50;
          });
      consumer.commitSync();
      ShareClients.await(
          "no lag", () -> ShareClients.position(admin, topic).lag().orElse(-1L) == 0);
    }
    assertThat(offsets(got)).isEqualTo(upTo(50));
    assertThat(deliveries(got)).containsOnly(1);
    clients.produce("implicit", 50, 51);
    try (ShareConsumer<String, String> another = clients.consumer("implicit", Map.of())) {
      assertThat(offsets(some(another))).containsExactly(50L);
    }
  }

  @Test
  void aRecordIsGivenAgainUnlessItIsAcceptedOrRejected() {
    clients.topic("explicit", Map.of());
    clients.produce("explicit", 0, 9);
    try (ShareConsumer<String, String> consumer = clients.explicit("explicit")) {
      List<ConsumerRecord<String, String>> first = some(consumer);
      assertThat(offsets(first)).isEqualTo(upTo(9));
      for (ConsumerRecord<String, String> record : first) {
        consumer.acknowledge(record, AcknowledgeType.forId((byte) (1 + record.offset() % 3)));
      }
      assertThat(consumer.commitSync().values()).allMatch(error -> error.isEmpty());
      List<ConsumerRecord<String, String>> again = some(consumer);
      assertThat(offsets(again)).containsExactly(1L, 4L, 7L);
      assertThat(deliveries(again)).containsOnly(2);
      again.forEach(record -> consumer.acknowledge(record, AcknowledgeType.ACCEPT));
      consumer.commitSync();
      assertThat(rest(consumer)).isEmpty();
    }
  }

  @Test
  void aRecordIsGivenUpAfterAsManyDeliveriesAsTheGroupAllows() {
    clients.topic("limit", Map.of("share.delivery.count.limit", "3"));
    clients.produce("limit", 0, 2);
    List<String> seen = new ArrayList<>();
    try (ShareConsumer<String, String> consumer = clients.explicit("limit")) {
      while (true) {
        List<ConsumerRecord<String, String>> got = new ArrayList<>();
        for (int quiet = 0; quiet < 15 && got.isEmpty(); quiet++) {
          consumer.poll(ShareClients.POLL).forEach(got::add);
        }
        if (got.isEmpty() && !seen.isEmpty()) {
          break;
        }
        for (ConsumerRecord<String, String> record : got) {
          seen.add(record.offset() + "x" + record.deliveryCount().orElseThrow());
          consumer.acknowledge(record, AcknowledgeType.RELEASE);
        }
        consumer.commitSync();
      }
    }
    assertThat(seen).containsExactlyInAnyOrder("0x1", "1x1", "0x2", "1x2", "0x3", "1x3");
  }

  @Test
  void aLockThatRunsOutGivesTheRecordToAnother() {
    clients.topic("lock", SHORT_LOCK);
    clients.produce("lock", 0, 3);
    try (ShareConsumer<String, String> slow = clients.explicit("lock");
        ShareConsumer<String, String> other = clients.explicit("lock")) {
      List<ConsumerRecord<String, String>> held = some(slow);
      assertThat(held).hasSize(3);
      List<ConsumerRecord<String, String>> taken = some(other);
      assertThat(offsets(taken)).isEqualTo(upTo(3));
      assertThat(deliveries(taken)).containsOnly(2);
      held.forEach(record -> slow.acknowledge(record, AcknowledgeType.ACCEPT));
      assertThat(slow.commitSync().values()).as("too late").allMatch(error -> error.isPresent());
      taken.forEach(record -> other.acknowledge(record, AcknowledgeType.ACCEPT));
      assertThat(other.commitSync().values()).allMatch(error -> error.isEmpty());
    }
  }

  @Test
  void aRenewedLockKeepsTheRecord() {
    clients.topic("renewed", SHORT_LOCK);
    clients.produce("renewed", 0, 1);
    try (ShareConsumer<String, String> slow = clients.explicit("renewed");
        ShareConsumer<String, String> other = clients.explicit("renewed")) {
      ConsumerRecord<String, String> held = some(slow).get(0);
      for (int i = 0; i < 3; i++) {
        slow.acknowledge(held, AcknowledgeType.RENEW);
        assertThat(slow.commitSync().values()).allMatch(error -> error.isEmpty());
        assertThat(other.poll(ShareClients.POLL.multipliedBy(2))).isEmpty();
        slow.poll(ShareClients.POLL);
      }
      slow.acknowledge(held, AcknowledgeType.ACCEPT);
      assertThat(slow.commitSync().values()).allMatch(error -> error.isEmpty());
      assertThat(rest(other)).isEmpty();
    }
  }

  @Test
  void whoLeavesGivesBackWhatHeHolds() {
    clients.topic("left", Map.of());
    clients.produce("left", 0, 4);
    try (ShareConsumer<String, String> leaving = clients.explicit("left")) {
      assertThat(some(leaving)).hasSize(4);
    }
    try (ShareConsumer<String, String> next = clients.explicit("left")) {
      List<ConsumerRecord<String, String>> got = some(next);
      assertThat(offsets(got)).isEqualTo(upTo(4));
      assertThat(deliveries(got)).containsOnly(2);
    }
  }

  @Test
  void membersShareAPartition() {
    clients.topic("shared", Map.of());
    Map<String, Object> few = Map.of("max.poll.records", 5, "share.acquire.mode", "record_limit");
    List<Long> all = new ArrayList<>();
    try (ShareConsumer<String, String> one = clients.consumer("shared", few);
        ShareConsumer<String, String> two = clients.consumer("shared", few)) {
      clients.produce("shared", 0, 100);
      List<List<Long>> each = List.of(new ArrayList<>(), new ArrayList<>());
      ShareClients.await(
          "all",
          () -> {
            one.poll(ShareClients.POLL).forEach(record -> each.get(0).add(record.offset()));
            two.poll(ShareClients.POLL).forEach(record -> each.get(1).add(record.offset()));
            return each.get(0).size() + each.get(1).size() >= 100;
          });
      assertThat(each.get(0)).isNotEmpty();
      assertThat(each.get(1)).isNotEmpty();
      each.forEach(all::addAll);
    }
    assertThat(all).hasSize(100).doesNotHaveDuplicates();
  }

  @Test
  void whoWantsCommittedRecordsIsGivenNoOthers() {
    TopicPartition topic =
        clients.topic("committed", Map.of("share.isolation.level", "read_committed"));
    try (KafkaProducer<String, String> producer =
        clients.producer(Map.of("transactional.id", "committed"))) {
      producer.initTransactions();
      for (int i = 0; i < 6; i++) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("committed", "v" + i));
        producer.flush();
        if (i % 2 == 0) {
          producer.commitTransaction();
        } else {
          producer.abortTransaction();
        }
      }
    }
    List<String> values = new ArrayList<>();
    try (ShareConsumer<String, String> consumer = clients.consumer("committed", Map.of());
        Admin admin = clients.admin()) {
      ShareClients.await(
          "the committed",
          () -> {
            consumer.poll(ShareClients.POLL).forEach(record -> values.add(record.value()));
            return values.size() >= 3;
          });
      consumer.commitSync();
      rest(consumer).forEach(record -> values.add(record.value()));
      ShareClients.await(
          "little lag", () -> ShareClients.position(admin, topic).lag().orElse(-1L) <= 2);
    }
    assertThat(values).containsExactly("v0", "v2", "v4");
  }

  @Test
  void whatTheLogLetGoOfIsNotWaitedFor() {
    TopicPartition topic = clients.topic("cut", Map.of());
    clients.produce("cut", 0, 20);
    try (ShareConsumer<String, String> consumer = clients.explicit("cut");
        Admin admin = clients.admin()) {
      assertThat(some(consumer)).hasSize(20);
      get(admin.deleteRecords(Map.of(topic, RecordsToDelete.beforeOffset(15))).all());
    }
    try (ShareConsumer<String, String> next = clients.consumer("cut", Map.of())) {
      assertThat(offsets(some(next))).containsExactly(15L, 16L, 17L, 18L, 19L);
    }
  }

  @Test
  void aGroupIsDescribedMovedAndForgotten() {
    TopicPartition topic = clients.topic("admin", Map.of());
    clients.produce("admin", 0, 10);
    try (Admin admin = clients.admin()) {
      try (ShareConsumer<String, String> consumer = clients.consumer("admin", Map.of())) {
        assertThat(some(consumer)).hasSize(10);
        consumer.commitSync();
        var description = get(admin.describeShareGroups(List.of("admin")).all()).get("admin");
        assertThat(description.groupState()).isEqualTo(GroupState.STABLE);
        assertThat(description.members().iterator().next().assignment().topicPartitions())
            .containsExactly(topic);
        assertThat(listed(admin)).contains("admin");
      }
      ShareClients.await(
          "nobody",
          () ->
              get(admin.describeShareGroups(List.of("admin")).all()).get("admin").groupState()
                  == GroupState.EMPTY);
      get(admin.alterShareGroupOffsets("admin", Map.of(topic, 7L)).all());
      assertThat(ShareClients.position(admin, topic).startOffset()).isEqualTo(7);
      try (ShareConsumer<String, String> consumer = clients.consumer("admin", Map.of())) {
        assertThat(offsets(some(consumer))).containsExactly(7L, 8L, 9L);
      }
      ShareClients.await(
          "nobody again",
          () ->
              get(admin.describeShareGroups(List.of("admin")).all()).get("admin").groupState()
                  == GroupState.EMPTY);
      get(admin.deleteShareGroupOffsets("admin", Set.of("admin")).all());
      try (ShareConsumer<String, String> consumer = clients.consumer("admin", Map.of())) {
        assertThat(offsets(some(consumer))).isEqualTo(upTo(10));
      }
      ShareClients.await("deleted", () -> deleted(admin, "admin"));
      assertThat(listed(admin)).doesNotContain("admin");
      assertThatThrownBy(() -> get(admin.describeShareGroups(List.of("admin")).all()))
          .isInstanceOf(GroupIdNotFoundException.class);
    }
  }

  private static boolean deleted(Admin admin, String group) {
    try {
      get(admin.deleteShareGroups(List.of(group)).all());
      return true;
    } catch (RuntimeException notEmptyYet) {
      return false;
    }
  }

  private static List<String> listed(Admin admin) {
    return get(admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.SHARE))).all())
        .stream()
        .map(GroupListing::groupId)
        .toList();
  }

  @Test
  void whatWasAcknowledgedOutlivesTheBroker() throws Exception {
    assumeTrue(broker != null, "a broker that may be killed");
    clients.topic("killed", Map.of());
    clients.produce("killed", 0, 40);
    try (ShareConsumer<String, String> consumer = clients.explicit("killed")) {
      List<ConsumerRecord<String, String>> got = some(consumer);
      assertThat(offsets(got)).isEqualTo(upTo(40));
      for (ConsumerRecord<String, String> record : got) {
        switch ((int) record.offset() % 4) {
          case 0 -> consumer.acknowledge(record, AcknowledgeType.ACCEPT);
          case 1 -> consumer.acknowledge(record, AcknowledgeType.REJECT);
          case 2 -> consumer.acknowledge(record, AcknowledgeType.RELEASE);
          default -> consumer.acknowledge(record, AcknowledgeType.RENEW);
        }
      }
      assertThat(consumer.commitSync().values()).allMatch(error -> error.isEmpty());
      broker.kill();
      broker.startAgain();
      try (ShareConsumer<String, String> next = clients.explicit("killed")) {
        List<ConsumerRecord<String, String>> again = new ArrayList<>();
        ShareClients.await(
            "what was not acknowledged",
            () -> {
              for (ConsumerRecord<String, String> record : next.poll(ShareClients.POLL)) {
                again.add(record);
                next.acknowledge(record, AcknowledgeType.ACCEPT);
              }
              next.commitSync();
              return again.size() >= 20;
            });
        assertThat(offsets(again)).hasSize(20).doesNotHaveDuplicates();
        assertThat(offsets(again)).allMatch(offset -> offset % 4 >= 2);
        assertThat(rest(next)).isEmpty();
      }
    }
  }
}
