package io.strandline.tests.fault.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Exactly-once as Kafka Streams does it: two members of an application and the broker are killed in
 * turn while numbers come in, and in the end each account's sum after each number was told once. On
 * demand: {@code -Dstreams.rounds=N}; again: {@code -Dfault.seed=S}; to see it fail: {@code
 * -Dstreams.guarantee=at_least_once}. Crash model: process.
 */
@EnabledIfSystemProperty(named = "streams.rounds", matches = "[1-9][0-9]*")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class StreamsKillTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final int ROUNDS = Integer.getInteger("streams.rounds", 1);
  private static final String GUARANTEE =
      System.getProperty("streams.guarantee", "exactly_once_v2");
  private static final int PARTITIONS = 3;
  private static final int SUMS_PER_LIFE = 400;
  private static final long POLL_NANOS = 50_000_000;
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  @TempDir Path dir;

  private final Random random = new Random(SEED);
  private int kills;

  @ParameterizedTest
  @CsvSource({"classic,0", "streams,0", "classic,1", "streams,1"})
  void eachSumIsToldOnceThroughKills(String protocol, int standbys) throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), brokerSettings())) {
      prepare(broker.bootstrap(), standbys);
      Map<String, String> settings = settings(protocol, standbys);
      try (Application first = start(broker, "first", settings);
          Application second = start(broker, "second", settings);
          SumReader reader = new SumReader(broker.bootstrap(), PARTITIONS);
          NumberWriter writer =
              new NumberWriter(broker.bootstrap(), PARTITIONS, random.nextLong(), reader::told)) {
        Running running = new Running(broker, List.of(first, second), reader, writer);
        progress(running);
        for (int round = 0; round < ROUNDS; round++) {
          round(running, round);
        }
        writer.finish();
        await(running, "all sums", () -> reader.told() >= writer.written());
        await(running, "the last transaction", () -> settled(broker.bootstrap()));
        judge(running, protocol, standbys);
      }
    }
  }

  /** All that goes on. */
  private record Running(
      BrokerProcess broker, List<Application> members, SumReader reader, NumberWriter writer) {
    void check() {
      members.forEach(Application::requireAlive);
      reader.check();
      writer.check();
    }
  }

  /** The broker dies, then a member; every third time both at once. Some sums after each. */
  private void round(Running running, int round) throws Exception {
    Application member = running.members.get(round % running.members.size());
    if (round % 3 == 2) {
      member.kill();
      running.broker.kill();
      kills += 2;
      member.startAgain();
      running.broker.startAgain();
    } else {
      running.broker.kill();
      running.broker.startAgain();
      progress(running);
      member.kill();
      kills += 2;
      if (random.nextBoolean()) {
        progress(running); // the other takes over
      }
      member.startAgain();
    }
    progress(running);
  }

  private void progress(Running running) {
    long wanted = running.reader.told() + SUMS_PER_LIFE / 2 + random.nextInt(SUMS_PER_LIFE);
    await(running, "sums", () -> running.reader.told() >= wanted);
  }

  private void judge(Running running, String protocol, int standbys) throws Exception {
    String bootstrap = running.broker.bootstrap();
    Map<String, List<Long>> truth = running.writer.sums();
    Map<String, List<Long>> live = running.reader.finish();
    Map<String, List<Long>> committed = sums(bootstrap, IsolationLevel.READ_COMMITTED);
    System.out.printf(
        "StreamsKillTest: %s, %d standby; -Dfault.seed=%d -Dstreams.rounds=%d: %d kills, %d sums of"
            + " %d accounts, %d more in transactions that were aborted%n",
        protocol,
        standbys,
        SEED,
        ROUNDS,
        kills,
        running.writer.written(),
        truth.size(),
        count(sums(bootstrap, IsolationLevel.READ_UNCOMMITTED)) - count(committed));
    assertThat(differences(truth, committed)).as("in the end").isEmpty();
    assertThat(differences(truth, live)).as("as they came").isEmpty();
    Map<String, List<Long>> changelog =
        SumReader.all(
            bootstrap,
            RunningSums.CHANGELOG,
            IsolationLevel.READ_COMMITTED,
            new LongDeserializer());
    assertThat(last(changelog)).as("the store, by its changelog").isEqualTo(last(truth));
  }

  /** What is wrong with the sums told, a line an account. */
  private static List<String> differences(
      Map<String, List<Long>> truth, Map<String, List<Long>> told) {
    List<String> differences = new ArrayList<>();
    for (String account : union(truth.keySet(), told.keySet())) {
      List<Long> right = truth.getOrDefault(account, List.of());
      List<Long> seen = told.getOrDefault(account, List.of());
      if (!seen.equals(right)) {
        Set<Long> once = new HashSet<>(seen);
        differences.add(
            String.format(
                "%s: %d sums, %d lost, %d wrong, %d told again",
                account,
                right.size(),
                right.stream().filter(sum -> !once.contains(sum)).count(),
                once.stream().filter(sum -> !right.contains(sum)).count(),
                seen.size() - once.size()));
      }
    }
    return differences;
  }

  private static Set<String> union(Set<String> left, Set<String> right) {
    Set<String> all = new TreeSet<>(left);
    all.addAll(right);
    return all;
  }

  private static Map<String, List<Long>> sums(String bootstrap, IsolationLevel isolation) {
    return SumReader.all(bootstrap, RunningSums.SUMS, isolation, new StringDeserializer());
  }

  private static int count(Map<String, List<Long>> sums) {
    return sums.values().stream().mapToInt(List::size).sum();
  }

  private static Map<String, Long> last(Map<String, List<Long>> sums) {
    Map<String, Long> last = new TreeMap<>();
    sums.forEach((account, all) -> last.put(account, all.get(all.size() - 1)));
    return last;
  }

  /** The group's offsets are at the end of what there was to read. */
  private static boolean settled(String bootstrap) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      Map<TopicPartition, Long> read = new HashMap<>();
      admin
          .listConsumerGroupOffsets(RunningSums.GROUP)
          .partitionsToOffsetAndMetadata()
          .get(1, TimeUnit.MINUTES)
          .forEach((partition, offset) -> read.put(partition, offset.offset()));
      Map<TopicPartition, OffsetSpec> numbers = new HashMap<>();
      read.keySet().stream()
          .filter(partition -> partition.topic().equals(RunningSums.NUMBERS))
          .forEach(partition -> numbers.put(partition, OffsetSpec.latest()));
      return numbers.size() == PARTITIONS
          && admin.listOffsets(numbers).all().get(1, TimeUnit.MINUTES).entrySet().stream()
              .allMatch(end -> end.getValue().offset() == read.get(end.getKey()));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private Application start(BrokerProcess broker, String name, Map<String, String> settings)
      throws IOException {
    return Application.start(dir.resolve(name), broker.bootstrap(), settings);
  }

  private static Map<String, String> settings(String protocol, int standbys) {
    Map<String, String> settings = new HashMap<>();
    settings.put("processing.guarantee", GUARANTEE);
    settings.put("group.protocol", protocol);
    if (protocol.equals("classic")) {
      settings.put("num.standby.replicas", Integer.toString(standbys));
      settings.put("session.timeout.ms", "3000");
      settings.put("heartbeat.interval.ms", "500");
    }
    return settings;
  }

  private Map<String, String> brokerSettings() {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("transaction.state.log.num.partitions", "3");
    settings.put("offsets.topic.num.partitions", "3");
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("group.min.session.timeout.ms", "1000");
    settings.put("group.streams.initial.rebalance.delay.ms", "0");
    settings.put("group.streams.min.heartbeat.interval.ms", "500");
    settings.put("group.streams.heartbeat.interval.ms", "500");
    settings.put("group.streams.min.session.timeout.ms", "3000");
    settings.put("group.streams.session.timeout.ms", "3000");
    return settings;
  }

  private static void prepare(String bootstrap, int standbys) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      List<NewTopic> topics =
          Stream.of(RunningSums.NUMBERS, RunningSums.SUMS)
              .map(name -> new NewTopic(name, Optional.of(PARTITIONS), Optional.empty()))
              .toList();
      admin.createTopics(topics).all().get(1, TimeUnit.MINUTES);
      ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, RunningSums.GROUP);
      AlterConfigOp set =
          new AlterConfigOp(
              new ConfigEntry("streams.num.standby.replicas", Integer.toString(standbys)),
              AlterConfigOp.OpType.SET);
      admin.incrementalAlterConfigs(Map.of(group, List.of(set))).all().get(1, TimeUnit.MINUTES);
    }
  }

  private static void await(Running running, String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.getAsBoolean()) {
      running.check();
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "waited in vain for "
                + what
                + ": "
                + running.reader.told()
                + " of "
                + running.writer.written()
                + " sums");
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
