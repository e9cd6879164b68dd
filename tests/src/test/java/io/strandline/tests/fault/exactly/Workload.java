package io.strandline.tests.fault.exactly;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import io.strandline.tests.fault.exactly.History.Offset;
import io.strandline.tests.fault.exactly.Transformer.Flow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Transactional, plain and careless producers, members of groups that make records into others,
 * readers of both isolations, all at once on two topics of its own; in the end {@link Checker}
 * looks at what all of them saw.
 */
public final class Workload implements AutoCloseable {
  private static final int PARTITIONS = 3;
  private static final int HOPS_MAX = 3;
  private static final long POLL_NANOS = 100_000_000;
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final String bootstrap;
  private final String name;
  private final Random random;
  private final Ledger ledger = new Ledger();
  private final List<TopicPartition> partitions;
  private final List<Client> writers;
  private final List<LiveReader> readers;
  private final List<Client> all;

  /**
   * Makes the topics and begins.
   *
   * @param name of topics and clients of it, different from other workloads' of the cluster
   * @param configs of the topics, beside their small segments
   */
  public Workload(String bootstrap, String name, Random random, Map<String, String> configs)
      throws Exception {
    this.bootstrap = bootstrap;
    this.name = name;
    this.random = random;
    this.partitions =
        Stream.of(in(), out())
            .flatMap(
                topic -> IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition(topic, p)))
            .toList();
    topics(configs);
    this.writers = writers();
    this.readers = readers();
    this.all = new ArrayList<>(writers);
    all.addAll(transformers());
    all.addAll(readers);
    all.add(new OffsetKeeper(name + "keeper", bootstrap, partitions, ledger));
    all.forEach(Client::start);
  }

  private String in() {
    return name + "in";
  }

  private String out() {
    return name + "out";
  }

  /** The partitions that are written to. */
  public List<TopicPartition> partitions() {
    return partitions;
  }

  /** Waits until so many more transactions are over, in whichever way. */
  public void awaitTransactions(int count) {
    long wanted = ledger.ended() + count;
    await("transactions", () -> ledger.ended() >= wanted);
  }

  /** A client met with what no client should meet: fails. */
  public void check() {
    ledger.check();
  }

  /**
   * Writers end, groups make what is left into others and end, readers come to the ends; then all
   * is judged.
   */
  public void finish() throws Exception {
    end(writers);
    drain();
    end(all.stream().filter(client -> !(client instanceof LiveReader)).toList());
    end(readers);
    judge();
  }

  private void topics(Map<String, String> configs) throws Exception {
    Map<String, String> all = new HashMap<>(configs);
    all.put("segment.bytes", Integer.toString(1 << 20));
    all.put("local.retention.bytes", "1");
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      List<NewTopic> topics =
          Stream.of(in(), out())
              .map(
                  topic ->
                      new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty()).configs(all))
              .toList();
      admin.createTopics(topics).all().get(1, TimeUnit.MINUTES);
    }
  }

  private List<Client> writers() {
    List<TopicPartition> to =
        partitions.stream().filter(partition -> partition.topic().equals(in())).toList();
    return List.of(
        new TransactionalWriter(name + "writer0", bootstrap, to, ledger, random.nextLong()),
        new TransactionalWriter(name + "writer1", bootstrap, to, ledger, random.nextLong()),
        new TransactionalWriter(name + "writer2", bootstrap, to, ledger, random.nextLong()),
        new PlainWriter(name + "plain", bootstrap, to, ledger, random.nextLong()),
        new PlainWriter(name + Entry.REPEATS, bootstrap, to, ledger, random.nextLong()));
  }

  private List<Client> transformers() {
    Flow there = new Flow(in(), out(), PARTITIONS, HOPS_MAX);
    Flow back = new Flow(out(), in(), PARTITIONS, HOPS_MAX);
    return List.of(
        new Transformer(name + "there0", bootstrap, there, ledger, random.nextLong()),
        new Transformer(name + "there1", bootstrap, there, ledger, random.nextLong()),
        new Transformer(name + "back0", bootstrap, back, ledger, random.nextLong()),
        new Transformer(name + "back1", bootstrap, back, ledger, random.nextLong()));
  }

  private List<LiveReader> readers() {
    return List.of(
        new LiveReader(
            name + "committed", bootstrap, partitions, IsolationLevel.READ_COMMITTED, ledger),
        new LiveReader(
            name + "all", bootstrap, partitions, IsolationLevel.READ_UNCOMMITTED, ledger));
  }

  private void end(List<? extends Client> clients) throws InterruptedException {
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
  private void drain() throws Exception {
    long fewest = Long.MAX_VALUE;
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      while (System.nanoTime() < deadline) {
        long missing = missing(admin);
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
  private long missing(Admin admin) throws Exception {
    Map<TopicPartition, Long> stable = ends(admin, IsolationLevel.READ_COMMITTED);
    long open =
        ends(admin, IsolationLevel.READ_UNCOMMITTED).entrySet().stream()
            .mapToLong(end -> end.getValue() - stable.getOrDefault(end.getKey(), 0L))
            .sum();
    return open
        + Checker.check(history(List.of())).stream()
            .filter(violation -> violation.kind() == Violation.Kind.NOT_ONCE)
            .count();
  }

  /** So that readers from the beginning go through the tier, and from there to the hot log. */
  public void assertTiered() throws Exception {
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

  private History history(List<LiveReader> readers) {
    return new History(
        ledger.attempts(),
        LiveReader.all(bootstrap, partitions, IsolationLevel.READ_COMMITTED),
        LiveReader.all(bootstrap, partitions, IsolationLevel.READ_UNCOMMITTED),
        readers.stream().map(LiveReader::reading).toList(),
        ledger.groups(),
        Map.of(in(), out(), out(), in()),
        HOPS_MAX);
  }

  private void judge() {
    History history = history(readers);
    System.out.printf(
        "%s: %d committed, %d aborted, %d unknown; %d and %d records; %d offsets; %d"
            + " write cycles%n",
        name.isEmpty() ? "workload" : name,
        ledger.count(Outcome.COMMITTED),
        ledger.count(Outcome.ABORTED),
        ledger.count(Outcome.UNKNOWN),
        records(history.committed()),
        records(history.all()),
        history.groups().size(),
        Checker.writeCycles(history));
    assertThat(Checker.check(history)).isEmpty();
    assertThat(readers).allSatisfy(reader -> assertThat(reader.reading().seen()).isNotEmpty());
    assertThat(history.groups())
        .as("a group's offset that was acknowledged, and one that was told")
        .anyMatch(Offset::acknowledged)
        .anyMatch(offset -> !offset.acknowledged() && offset.offset() > 0);
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

  @Override
  public void close() {
    all.forEach(Client::close);
  }
}
