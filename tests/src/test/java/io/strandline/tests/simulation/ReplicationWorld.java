package io.strandline.tests.simulation;

import io.strandline.broker.control.isr.IsrChange;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/** All there is in one run: machines, network, quorum, store, and what was seen of them. */
final class ReplicationWorld {
  private static final long SESSION_NANOS = 700_000_000L;
  private static final Map<List<Integer>, LogConfig> TOPICS = new HashMap<>();

  final ReplicationPlan plan;
  final Random random;
  final SimulatedTime time;
  final Trace trace;
  final SimulatedNetwork network;
  final QuorumModel quorum;
  final ReplicaChecks checks;
  final TierPolicy policy;
  final List<SimulatedBroker> brokers = new ArrayList<>();
  private final ObjectStore bucket;
  private final Map<Integer, Long> heardNanos = new HashMap<>();

  /**
   * Machines that may have lost what was not forced, and have not caught up since. The quorum
   * cannot tell a power cut from the death of a process: either takes a replica's word away.
   */
  private final Set<Integer> torn = new HashSet<>();

  private int numbers;
  private boolean quiet;
  private boolean idle;
  private @Nullable Throwable violation;

  ReplicationWorld(
      ReplicationPlan plan, Random random, SimulatedTime time, ObjectStore bucket, Path directory)
      throws IOException {
    this.plan = plan;
    this.random = random;
    this.time = time;
    this.bucket = bucket;
    this.trace = new Trace(time::nanos);
    this.network = new SimulatedNetwork(time, random, trace);
    boolean eligible = plan.apart() || random.nextBoolean();
    this.quorum = new QuorumModel(plan.replicas(), eligible ? plan.minInSync() : 0, trace);
    this.policy = new TierPolicy(-1, -1, -2, 700 + random.nextInt(2_500), false);
    this.checks = new ReplicaChecks(this, bucket);
    for (int id = 0; id < plan.brokers(); id++) {
      brokers.add(new SimulatedBroker(id, this, directory));
    }
  }

  /** A topic's configuration is costly to make and never changes. */
  LogConfig topic() {
    synchronized (TOPICS) {
      return TOPICS.computeIfAbsent(
          List.of(plan.minInSync(), plan.flushed() ? 1 : 0), key -> new LogConfig(texts()));
    }
  }

  private Map<String, String> texts() {
    Map<String, String> topic = new HashMap<>();
    topic.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "700");
    topic.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "100");
    topic.put(TopicConfig.FILE_DELETE_DELAY_MS_CONFIG, "2000");
    topic.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, String.valueOf(plan.minInSync()));
    if (plan.flushed()) {
      topic.put(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, "1");
    }
    return topic;
  }

  @Nullable BrokerLife living(int broker) {
    return broker < 0 || broker >= brokers.size() ? null : brokers.get(broker).living();
  }

  /** How everyone stands, a line each. */
  String standing() {
    StringBuilder text = new StringBuilder(quorum.newest() + "\n");
    for (SimulatedBroker broker : brokers) {
      BrokerLife life = broker.living();
      text.append(broker.id).append(": ");
      if (life == null) {
        text.append("dead\n");
        continue;
      }
      text.append(life.process.awake() ? "" : "asleep, ").append("knows ");
      text.append(life.view.offset()).append(", ");
      life.partition()
          .ifPresentOrElse(
              p ->
                  text.append(p)
                      .append(p.leads() ? " leads in " : " follows in ")
                      .append(p.leaderEpoch())
                      .append(", ")
                      .append(p.log())
                      .append(" from ")
                      .append(p.localLogStartOffset())
                      .append(" to ")
                      .append(p.logEndOffset())
                      .append(", high watermark ")
                      .append(p.highWatermark()),
              () -> text.append("no replica"));
      text.append("\n");
    }
    return text.toString();
  }

  // ---- phases

  /** Nothing goes wrong any more. */
  void quiet() {
    quiet = true;
    network.calm();
  }

  boolean isQuiet() {
    return quiet;
  }

  /** Nothing is written any more, and nobody needs to look often. */
  void idle(boolean now) {
    idle = now;
  }

  int slowly(int ms) {
    return idle ? 10 * ms : ms;
  }

  // ---- chance

  /** Changes of a disk until a life ends: some die on the way up, some at a step of their work. */
  int steps() {
    if (quiet) {
      return Integer.MAX_VALUE;
    }
    return switch (random.nextInt(5)) {
      case 0 -> 1 + random.nextInt(30);
      case 1 -> 1 + random.nextInt(400);
      default -> Integer.MAX_VALUE;
    };
  }

  int pauseMs() {
    return random.nextInt(3) == 0 ? random.nextInt(4_000) : random.nextInt(700);
  }

  int metadataDelayMs() {
    return !quiet && random.nextInt(12) == 0 ? random.nextInt(2_000) : 1 + random.nextInt(40);
  }

  // ---- clients

  /** Whom a client takes for the leader: mostly the one that leads. */
  @Nullable BrokerLife takenForLeader() {
    int leader = quorum.state().leader();
    return living(random.nextInt(10) == 0 ? random.nextInt(brokers.size()) : leader);
  }

  /** Records that nobody wrote yet, about to be. */
  SimpleRecord[] records(String kind, int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      String value = kind + "-" + numbers++ + "-" + "x".repeat(random.nextInt(30));
      long timestampMs = time.millis() - random.nextInt(800);
      checks.history.tried(value, timestampMs);
      records[i] =
          new SimpleRecord(
              timestampMs,
              ("k" + random.nextInt(7)).getBytes(StandardCharsets.UTF_8),
              value.getBytes(StandardCharsets.UTF_8));
    }
    return records;
  }

  /** A deposed leader may lack what was acknowledged; the one that leads may not. */
  void lacks(BrokerLife target, Throwable why) {
    if (quorum.state().leader() != target.id) {
      return;
    }
    target
        .partition()
        .filter(partition -> partition.leads())
        .filter(partition -> partition.leaderEpoch() == quorum.state().leaderEpoch())
        .ifPresent(
            partition ->
                violated(
                    new AssertionError(
                        "AcknowledgedReadable: the leader's log lacks some: " + why, why)));
  }

  // ---- crashes

  boolean mayCrash(int id) {
    List<Integer> replicas = quorum.state().replicas();
    return !quiet
        && !(plan.apart()
            && torn.stream().anyMatch(other -> other != id && replicas.contains(other)));
  }

  /** Whether the disk goes with a life that ends now. */
  boolean mayLoseDisk(int id) {
    return plan.diskless() && mayCrash(id) && random.nextInt(3) == 0;
  }

  /**
   * @param clean whether in order
   */
  void ended(int id, boolean clean) {
    if (!clean) {
      torn.add(id);
    }
  }

  // ---- the quorum

  void heard(int broker) {
    heardNanos.put(broker, time.nanos());
  }

  void heartbeat(int broker, long epoch, boolean caughtUp) {
    QuorumModel.Broker there = quorum.newest().brokers().get(broker);
    if (there == null || there.epoch() != epoch) {
      return;
    }
    heard(broker);
    if (caughtUp) {
      quorum.unfence(broker, epoch);
    }
  }

  /** Looks at those in sync, and fences those whose heartbeats stay away. */
  void watch() {
    guard(checks::inSync);
    for (SimulatedBroker broker : brokers) {
      if (time.nanos() - heardNanos.getOrDefault(broker.id, 0L) > SESSION_NANOS) {
        quorum.fence(broker.id);
      }
    }
    var unused = time.schedule(this::watch, 50, TimeUnit.MILLISECONDS);
  }

  IsrChange.Answer alter(int from, long brokerEpoch, IsrChange change) {
    List<Integer> before = quorum.state().isr();
    IsrChange.Answer answer = quorum.alter(from, brokerEpoch, change);
    change.isr().stream()
        .filter(member -> answer.isr().contains(member.broker()))
        .filter(member -> !before.contains(member.broker()) && lives(member))
        .forEach(member -> torn.remove(member.broker()));
    return answer;
  }

  /** One may be let in after its power failed, as long as nobody has missed it. */
  private boolean lives(IsrChange.Member member) {
    BrokerLife life = living(member.broker());
    return life != null && life.view.brokerEpoch() == member.brokerEpoch();
  }

  // ---- the store

  /** As one life of a broker sees it. */
  ObjectStore store(BrokerLife life) {
    ObjectStore seen =
        new TracedStore(bucket, SimulatedCluster.PARTITION, trace, checks.watching(life.id));
    FaultPlan usual = FaultPlan.random(random, 0.04, Duration.ofMillis(100));
    FaultPlan mine =
        call -> {
          if (!life.process.alive()) {
            return Fault.of(Fault.Kind.LOST_REQUEST);
          }
          if (quiet) {
            return Fault.NONE;
          }
          Fault fault = usual.next(call);
          long heldBack = life.heldBackNanos();
          if (call.operation().writes() && heldBack > 0) {
            return new Fault(Fault.Kind.NONE, Duration.ofNanos(heldBack), fault.after());
          }
          boolean late = call.operation().writes() && random.nextInt(60) == 0;
          return late
              ? new Fault(fault.kind(), Duration.ofMillis(random.nextInt(4_000)), fault.after())
              : fault;
        };
    return new FaultyObjectStore(seen, mine, time);
  }

  // ---- failures

  /**
   * Runs what a process does; what it throws while it lives is a violation. What it would still do
   * once it is dead, because the call goes on in which it died, nobody sees.
   */
  void guard(CrashingDisk disk, SimulatedCluster.Action action) {
    if (disk.crashed()) {
      return;
    }
    try {
      action.run();
    } catch (Exception | Error failure) {
      if (!disk.crashed()) {
        violated(failure);
      }
    }
  }

  /** Runs what lies outside of all processes. */
  void guard(SimulatedCluster.Action action) {
    try {
      action.run();
    } catch (Exception | Error failure) {
      violated(failure);
    }
  }

  /** The first counts; what follows from it does not. */
  void violated(Throwable what) {
    if (violation == null) {
      violation = what;
    }
  }

  boolean violated() {
    return violation != null;
  }

  void throwIfViolated() {
    if (violation != null) {
      throw new AssertionError(violation.getMessage() + "\n" + trace.tail(), violation);
    }
  }
}
