package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.S3Server;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real minutes without a real store, run by {@code tests/outage}: producers and readers of the tail
 * do not notice, a plain Fetch of history is answered with a retriable error in time, the lag, its
 * age and its cause are told, it drains without a storm, and nothing is lost. Skipped unless told
 * of a Ceph that it may stop.
 */
class GivenCephOutageTest {
  private static final String CEPH = System.getProperty("outage.ceph", "");
  private static final String CEPH_DIR = System.getProperty("outage.dir", "");
  private static final Kind KIND =
      Kind.valueOf(System.getProperty("outage.kind", "hang").toUpperCase(Locale.ROOT));
  private static final double MINUTES =
      Double.parseDouble(System.getProperty("outage.minutes", "5"));
  private static final int PARTITIONS = Integer.getInteger("outage.partitions", 0);
  private static final List<String> PHASES = List.of("before", "during", "after");

  private static final String READ = "NONE with records";
  private static final String RETRIABLE = "KAFKA_STORAGE_ERROR without records";

  /** The third: the answer was not there when the fetch's wait was over; the client asks again. */
  private static final Set<String> LAWFUL = Set.of(READ, RETRIABLE, "NONE without records");

  /** What is done to the store. */
  private enum Kind {
    /** Its disk daemon stands still: requests are taken and not answered. */
    HANG,
    /** Its gateway stands still: connections are taken and not served. */
    FROZEN,
    /** Its gateway is killed: connections are refused. */
    GONE,
    /** Its disk daemon is killed, and recovers from what it had written. */
    LOST
  }

  @TempDir Path dir;
  private final AtomicReference<String> phase = new AtomicReference<>("warm-up");

  @Test
  void clientsDoNotNoticeAndNothingIsLost() throws Exception {
    @Nullable S3Server server = S3Server.fromEnvironment();
    Assumptions.assumeTrue(server != null && !CEPH.isEmpty(), "no Ceph that may be stopped");
    assert server != null;
    String uri =
        "s3://%s/outage%d?endpoint=%s"
            .formatted(server.bucket(), System.nanoTime(), server.endpoint());
    Map<String, String> keys =
        Map.of(
            "AWS_ACCESS_KEY_ID", server.keys().accessKey(),
            "AWS_SECRET_ACCESS_KEY", server.keys().secretKey());
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings(uri), keys)) {
      TopicPartition partition = Topics.create(broker.bootstrap(), "tail");
      long written = outage(broker, partition);
      assertThat(OutageClients.readAll(broker.bootstrap(), partition)).isEqualTo(written);
      broker
          .output()
          .lines()
          .filter(line -> line.contains("CircuitObjectStore"))
          .forEach(line -> System.out.println("OUTAGE log: " + line));
      assertThat(broker.stop()).as("exit code of an orderly stop").isZero();
    }
    ToolProcess.Ended verified = ToolProcess.run(dir, keys, "tier", "verify", "--store", uri);
    verified.out().forEach(line -> System.out.println("OUTAGE verify: " + line));
    assertThat(verified.exitCode()).as("%s", verified).isZero();
  }

  private long outage(BrokerProcess broker, TopicPartition partition) throws Exception {
    String bootstrap = broker.bootstrap();
    int pause = (int) Math.min(30, 30 * MINUTES);
    try (ManyPartitions many = new ManyPartitions(bootstrap, PARTITIONS);
        OutageClients clients = new OutageClients(bootstrap, partition, phase::get);
        OutageWatch watch = new OutageWatch(broker, phase::get);
        Lateness late = new Lateness(phase::get)) {
      Topics.awaitReleased(bootstrap, partition, 2_000);
      rest(pause);
      long history = Topics.offset(bootstrap, partition, OffsetSpec.earliestLocal());
      try (HistoryFetches old =
          new HistoryFetches(bootstrap, partition, () -> history, phase::get)) {
        phase.set("before");
        rest(2 * pause);
        away();
        phase.set("during");
        rest((int) (60 * MINUTES));
        System.out.println("OUTAGE health at its end: " + broker.admin("/healthz").body());
        double behind = watch.lagBytes();
        long since = System.nanoTime();
        back();
        phase.set("after");
        awaitDrained(watch, since);
        System.out.printf(
            "OUTAGE %s: %.0f MB drained within %d s of the store's return%n",
            KIND, behind / 1e6, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - since));
        rest(pause);
        phase.set("over");
        clients.close();
        many.close();
        watch.close();
        old.close();
        tell(clients, watch, old);
        for (String name : PHASES) {
          System.out.println(
              "OUTAGE " + name + ": this process woke up late by " + late.told(name));
        }
        clients.stalls().forEach(stall -> System.out.println("OUTAGE produce took long: " + stall));
        late.longest().forEach(each -> System.out.println("OUTAGE woke up late: " + each));
        judge(clients, watch, old, behind);
        many.readAll();
      }
      return clients.acknowledged();
    }
  }

  private static void awaitDrained(OutageWatch watch, long since) {
    for (int looks = 1; watch.lagBytes() > 4 * Topics.SEGMENT_BYTES; looks++) {
      long s = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - since);
      assertThat(s).as("seconds since the store is back").isLessThan(600);
      if (looks % 5 == 0) {
        System.out.printf(
            "OUTAGE %d s after its return: %.0f MB wait%n", s, watch.lagBytes() / 1e6);
      }
      rest(1);
    }
  }

  private static void tell(OutageClients clients, OutageWatch watch, HistoryFetches old) {
    for (String name : PHASES) {
      System.out.println("OUTAGE " + name + ": " + clients.told(name));
      System.out.println("OUTAGE " + name + ": " + watch.told(name));
      System.out.println("OUTAGE " + name + ": history " + old.told(name));
    }
  }

  private static void judge(
      OutageClients clients, OutageWatch watch, HistoryFetches old, double behind) {
    assertThat(clients.failures()).isEmpty();
    assertThat(behind).as("lag at the end of the outage").isGreaterThan(MINUTES * 30e6);
    assertThat(watch.causes("during")).containsAnyOf("away", "late");
    List<Double> quiet = watch.rates("during");
    assertThat(quiet.get(quiet.size() * 9 / 10)).as("requests a second, p90").isLessThan(2);
    for (String name : PHASES) {
      assertThat(LAWFUL).as(name).containsAll(old.answers(name).keySet());
    }
    // Before it is known to be away, and for the read that tries it, some wait in vain.
    Map<String, Integer> told = old.answers("during");
    int all = told.values().stream().mapToInt(count -> count).sum();
    assertThat(told.getOrDefault(RETRIABLE, 0)).as("of %s", told).isGreaterThan(all / 5);
    assertThat(old.answers("after").getOrDefault(READ, 0)).isPositive();
  }

  private static Map<String, String> settings(String uri) {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put("strandline.object.store", uri);
    // Little is kept of history, so that it has to come from the store.
    settings.put("strandline.cache.memory.bytes", Integer.toString(4 << 20));
    settings.put("strandline.cache.disk.bytes", "0");
    settings.put("strandline.tier.grace.ms", "0");
    return settings;
  }

  private static void away() throws Exception {
    switch (KIND) {
      case HANG -> ceph("pause-osd");
      case FROZEN -> run(List.of("kill", "-STOP", gateway()));
      case GONE -> ceph("kill-rgw");
      case LOST -> ceph("kill-osd");
      default -> throw new AssertionError(KIND);
    }
  }

  private static void back() throws Exception {
    switch (KIND) {
      case HANG -> ceph("resume-osd");
      case FROZEN -> run(List.of("kill", "-CONT", gateway()));
      default -> ceph("start");
    }
  }

  private static String gateway() throws Exception {
    return ceph("pids").strip().split(" ")[2];
  }

  private static String ceph(String verb) throws Exception {
    return run(List.of(CEPH, CEPH_DIR, verb));
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(new ArrayList<>(command))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as("%s", command).isZero();
    return said;
  }

  private static void rest(int seconds) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() - until < 0) {
      LockSupport.parkNanos(50_000_000);
    }
  }
}
