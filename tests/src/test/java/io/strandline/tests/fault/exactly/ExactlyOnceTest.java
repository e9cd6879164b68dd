package io.strandline.tests.fault.exactly;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.fault.exactly.Attempt.Outcome;
import io.strandline.tests.fault.exactly.Transformer.Flow;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Transactional and plain producers, members of groups that make records into others, readers of
 * both isolations, all at once, while the broker is killed and paused; then {@link Checker} looks
 * at what all of them saw. Longer: {@code -Dexactly.rounds=N}; again: {@code -Dfault.seed=S}. Crash
 * model: process.
 */
@Timeout(value = 6, unit = TimeUnit.HOURS)
class ExactlyOnceTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final int ROUNDS = Integer.getInteger("exactly.rounds", 1);
  private static final int TRANSACTIONS_PER_ROUND = 60;
  private static final int PARTITIONS = 3;
  private static final int HOPS_MAX = 3;
  private static final long POLL_NANOS = 100_000_000;
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  @TempDir Path dir;

  private final Random random = new Random(SEED);
  private final Ledger ledger = new Ledger();
  private final List<TopicPartition> partitions =
      Stream.of("in", "out")
          .flatMap(
              topic -> IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)))
          .toList();

  /** What is shaken. */
  private interface Shaken {
    String bootstrap();

    /** One kill or pause, and the return from it. */
    void fault(int round) throws Exception;
  }

  private static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>();
    settings.put("transaction.state.log.num.partitions", "3");
    settings.put("offsets.topic.num.partitions", "3");
    settings.put("group.initial.rebalance.delay.ms", "0");
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    settings.put("log.retention.check.interval.ms", "500");
    settings.put("log.segment.delete.delay.ms", "500");
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.reclaim.ms", "1000");
    return settings;
  }

  @Test
  void whatAllClientsSawIsWhatKafkaPromises() throws Exception {
    Map<String, String> settings = settings();
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      run(
          new Shaken() {
            @Override
            public String bootstrap() {
              return broker.bootstrap();
            }

            @Override
            public void fault(int round) throws IOException, InterruptedException {
              shake(broker, round);
            }
          });
    }
  }

  /** Three brokers that are controllers too, three replicas of everything. */
  @Test
  void whatAllClientsOfAClusterSawIsWhatKafkaPromises() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1, 2, 3)
            .replicas(3, 2)
            .set(settings())
            .start()) {
      run(
          new Shaken() {
            @Override
            public String bootstrap() {
              return cluster.bootstrap();
            }

            @Override
            public void fault(int round) throws Exception {
              Waiting.until("all replicas in sync", () -> whole(cluster));
              shake(cluster.node(1 + random.nextInt(3)), round);
            }
          });
      Waiting.until("all replicas in sync at the end", () -> whole(cluster));
    }
  }

  private static boolean whole(TestCluster cluster) throws Exception {
    Admin admin = cluster.admin();
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    return admin.describeTopics(names).allTopicNames().get(30, TimeUnit.SECONDS).values().stream()
        .flatMap(topic -> topic.partitions().stream())
        .allMatch(partition -> partition.isr().size() == partition.replicas().size());
  }

  private void run(Shaken shaken) throws Exception {
    System.out.println("ExactlyOnceTest: -Dfault.seed=" + SEED + " -Dexactly.rounds=" + ROUNDS);
    String bootstrap = shaken.bootstrap();
    topics(bootstrap);
    List<Client> writers = writers(bootstrap);
    List<Client> transformers = transformers(bootstrap);
    List<LiveReader> readers = readers(bootstrap);
    Client keeper = new OffsetKeeper("keeper", bootstrap, partitions, ledger);
    List<Client> all = new ArrayList<>(writers);
    all.addAll(transformers);
    all.addAll(readers);
    all.add(keeper);
    try {
      all.forEach(Client::start);
      storm(shaken);
      end(writers);
      drain(bootstrap);
      end(all);
      assertTiered(bootstrap);
      judge(bootstrap, readers);
    } finally {
      all.forEach(Client::close);
    }
  }

  private void topics(String bootstrap) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      List<NewTopic> topics =
          Stream.of("in", "out")
              .map(
                  name ->
                      new NewTopic(name, Optional.of(PARTITIONS), Optional.empty())
                          .configs(
                              Map.of(
                                  "segment.bytes",
                                  Integer.toString(1 << 20),
                                  "local.retention.bytes",
                                  "1")))
              .toList();
      admin.createTopics(topics).all().get(1, TimeUnit.MINUTES);
    }
  }

  private List<Client> writers(String bootstrap) {
    List<TopicPartition> in =
        partitions.stream().filter(partition -> partition.topic().equals("in")).toList();
    return List.of(
        new TransactionalWriter("writer0", bootstrap, in, ledger, random.nextLong()),
        new TransactionalWriter("writer1", bootstrap, in, ledger, random.nextLong()),
        new TransactionalWriter("writer2", bootstrap, in, ledger, random.nextLong()),
        new PlainWriter("plain", bootstrap, in, ledger, random.nextLong()));
  }

  private List<Client> transformers(String bootstrap) {
    Flow there = new Flow("in", "out", PARTITIONS, HOPS_MAX);
    Flow back = new Flow("out", "in", PARTITIONS, HOPS_MAX);
    return List.of(
        new Transformer("there0", bootstrap, there, ledger, random.nextLong()),
        new Transformer("there1", bootstrap, there, ledger, random.nextLong()),
        new Transformer("back0", bootstrap, back, ledger, random.nextLong()),
        new Transformer("back1", bootstrap, back, ledger, random.nextLong()));
  }

  private List<LiveReader> readers(String bootstrap) {
    return List.of(
        new LiveReader("committed", bootstrap, partitions, IsolationLevel.READ_COMMITTED, ledger),
        new LiveReader("all", bootstrap, partitions, IsolationLevel.READ_UNCOMMITTED, ledger));
  }

  /** Each round some transactions, then a kill or a pause. */
  private void storm(Shaken shaken) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long wanted =
          ledger.ended() + TRANSACTIONS_PER_ROUND / 2 + random.nextInt(TRANSACTIONS_PER_ROUND);
      await("transactions", () -> ledger.ended() >= wanted);
      shaken.fault(round);
    }
    long wanted = ledger.ended() + TRANSACTIONS_PER_ROUND / 2;
    await("transactions after the last fault", () -> ledger.ended() >= wanted);
  }

  private void shake(BrokerProcess broker, int round) throws IOException, InterruptedException {
    if (round % 3 == 1) {
      broker.pause();
      LockSupport.parkNanos((500 + random.nextInt(7_000)) * 1_000_000L);
      broker.resume();
    } else {
      broker.kill();
      broker.startAgain();
    }
  }

  private void end(List<Client> clients) throws InterruptedException {
    clients.forEach(Client::stop);
    for (Client client : clients) {
      client.join();
    }
    ledger.check();
  }

  /**
   * Until no transaction is open and the groups have made everything into others; or not, when they
   * have got no further for a while: then the checker says what is missing.
   */
  private void drain(String bootstrap) throws Exception {
    long fewest = Long.MAX_VALUE;
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      while (System.nanoTime() < deadline) {
        long missing = missing(admin, bootstrap);
        if (missing == 0) {
          return;
        }
        if (missing < fewest) {
          fewest = missing;
          deadline = System.nanoTime() + PATIENCE_NANOS;
        }
        ledger.check();
        LockSupport.parkNanos(POLL_NANOS);
      }
    }
  }

  /** Records that lie above the last stable offset, or else those that are not made into others. */
  private long missing(Admin admin, String bootstrap) throws Exception {
    Map<TopicPartition, Long> stable = ends(admin, IsolationLevel.READ_COMMITTED);
    long open =
        ends(admin, IsolationLevel.READ_UNCOMMITTED).entrySet().stream()
            .mapToLong(end -> end.getValue() - stable.getOrDefault(end.getKey(), 0L))
            .sum();
    return open
        + Checker.check(history(bootstrap, List.of())).stream()
            .filter(violation -> violation.kind() == Violation.Kind.NOT_ONCE)
            .count();
  }

  /** So that readers from the beginning go through the tier, and from there to the hot log. */
  private void assertTiered(String bootstrap) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      TopicPartition in = partitions.get(0);
      long local =
          admin
              .listOffsets(Map.of(in, OffsetSpec.earliestLocal()))
              .partitionResult(in)
              .get(1, TimeUnit.MINUTES)
              .offset();
      assertThat(local).as("first local offset of %s", in).isPositive();
    }
  }

  private Map<TopicPartition, Long> ends(Admin admin, IsolationLevel isolation) throws Exception {
    Map<TopicPartition, Long> ends = new HashMap<>();
    admin
        .listOffsets(
            partitions.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())),
            new ListOffsetsOptions(isolation))
        .all()
        .get(1, TimeUnit.MINUTES)
        .forEach((partition, info) -> ends.put(partition, info.offset()));
    return ends;
  }

  private History history(String bootstrap, List<LiveReader> readers) {
    return new History(
        ledger.attempts(),
        LiveReader.all(bootstrap, partitions, IsolationLevel.READ_COMMITTED),
        LiveReader.all(bootstrap, partitions, IsolationLevel.READ_UNCOMMITTED),
        readers.stream().map(LiveReader::reading).toList(),
        ledger.groups(),
        Map.of("in", "out", "out", "in"),
        HOPS_MAX);
  }

  private void judge(String bootstrap, List<LiveReader> readers) {
    History history = history(bootstrap, readers);
    System.out.printf(
        "ExactlyOnceTest: %d committed, %d aborted, %d unknown; %d and %d records; %d offsets; %d"
            + " write cycles%n",
        ledger.count(Outcome.COMMITTED),
        ledger.count(Outcome.ABORTED),
        ledger.count(Outcome.UNKNOWN),
        records(history.committed()),
        records(history.all()),
        history.groups().size(),
        Checker.writeCycles(history));
    assertThat(Checker.check(history)).isEmpty();
    assertThat(readers).allSatisfy(reader -> assertThat(reader.reading().seen()).isNotEmpty());
    assertThat(ledger.count(Outcome.COMMITTED)).isPositive();
    assertThat(ledger.count(Outcome.ABORTED)).isPositive();
  }

  private static int records(Map<TopicPartition, List<Seen>> seen) {
    return seen.values().stream().mapToInt(List::size).sum();
  }

  private void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!condition.getAsBoolean()) {
      ledger.check();
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
