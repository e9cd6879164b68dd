package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.S3MockProcess;
import io.strandline.tiering.scrub.AuditFinding;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything at once for as long as {@code soak.minutes} says: produce, follow, replay all of it
 * again and again, compact, expire; while the broker is killed and the store freezes, dies,
 * throttles, refuses, answers half. Ends with every acknowledged record accounted for, a store that
 * an audit finds sound and without orphans, and a broker whose memory, threads and open files did
 * not grow. Crash model: process.
 */
@EnabledIfSystemProperty(named = "soak.minutes", matches = "[0-9.]+")
class SoakTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final String BUCKET = "strandline";
  private static final double GROWTH_MAX = 1.25;
  private static final int SAMPLES_MIN = 9;
  private static final Set<String> COMPACTED = Set.of("compacted", "__consumer_offsets");
  private static final Map<String, String> ANY_KEYS =
      Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any-secret");

  @TempDir private Path dir;

  private final Random random = new Random(SEED);
  private final List<Footprint> footprints = new ArrayList<>();
  private final Map<String, Integer> faults = new HashMap<>();
  private S3MockProcess store;
  private StoreProxy proxy;
  private BrokerProcess broker;
  private volatile boolean over;

  private Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put(
        "strandline.object.store", "s3://" + BUCKET + "/soak?endpoint=" + proxy.endpoint());
    settings.put("strandline.cache.memory.bytes", Integer.toString(32 << 20));
    settings.put("strandline.tier.grace.ms", "10000");
    settings.put("log.cleaner.backoff.ms", "1000");
    return settings;
  }

  @Test
  @Timeout(value = 6, unit = TimeUnit.HOURS)
  void nothingIsLostLeftBehindOrGrowing() throws Exception {
    double minutes = Double.parseDouble(System.getProperty("soak.minutes"));
    System.out.println("SoakTest: -Dfault.seed=" + SEED + " -Dsoak.minutes=" + minutes);
    System.setProperty("aws.accessKeyId", "any"); // for the audit; the mock takes anything
    System.setProperty("aws.secretAccessKey", "any-secret");
    store = S3MockProcess.start(dir.resolve("s3"), BUCKET);
    proxy = new StoreProxy(store.endpoint(), SEED);
    broker = BrokerProcess.start(dir.resolve("broker"), settings(), ANY_KEYS);
    try {
      soak(minutes);
    } finally {
      over = true;
      broker.close();
      proxy.close();
      store.close();
      System.out.println("SoakTest: faults " + faults);
      errors(broker.output()).forEach(System.out::println);
      footprints.forEach(footprint -> System.out.println("SoakTest: " + footprint));
    }
  }

  private void soak(double minutes) throws Exception {
    String bootstrap = broker.bootstrap();
    TopicPartition kept = Topics.create(bootstrap, "kept");
    TopicPartition expiring =
        Topics.create(
            bootstrap,
            "expiring",
            Map.of(
                "retention.bytes", Integer.toString(8 << 20),
                "local.retention.bytes", Integer.toString(Topics.SEGMENT_BYTES)));
    TopicPartition compacted =
        Topics.create(
            bootstrap,
            "compacted",
            Map.of(
                "cleanup.policy", "compact",
                "min.cleanable.dirty.ratio", "0.2",
                "delete.retention.ms", "5000"));
    try (NumberedWriter writer = new NumberedWriter(bootstrap, kept, SEED);
        NumberedWriter passing = new NumberedWriter(bootstrap, expiring, SEED + 1);
        KeyedWriter keys = new KeyedWriter(bootstrap, compacted, SEED + 2)) {
      CompletableFuture<Integer> replays = CompletableFuture.supplyAsync(() -> replay(kept));
      shake(writer, List.of(passing::check, keys::check), minutes);
      System.out.println("SoakTest: quiet again, " + writer.acknowledged().size() + " records");
      proxy.serve(StoreProxy.Mode.PASS);
      writer.finish();
      passing.finish();
      keys.finish();
      over = true;
      System.out.println("SoakTest: " + replays.join() + " replays of all history");
      NumberedReader.verify(bootstrap, kept, SEED, writer.acknowledged());
      assertThat(keys.verify(bootstrap)).as("records of keys").isPositive();
      settle(kept, expiring, writer);
      System.out.println("SoakTest: " + passing.acknowledged().size() + " records that expire");
      Waiting.until(
          "most records of keys compacted away",
          () -> {
            long left = keys.verify(bootstrap);
            System.out.println("SoakTest: " + keys.sent() + " records of keys, " + left + " left");
            return left < keys.sent() / 2;
          });
      assertNothingGrew();
    }
  }

  /** All of it, from the beginning, as long as the soak goes on; gives how often. */
  private int replay(TopicPartition kept) {
    int times = 0;
    while (!over) {
      try (NumberedReader reader = new NumberedReader(broker.bootstrap(), kept, SEED)) {
        int idle = 0;
        while (!over && idle < 100) {
          idle = reader.poll(Duration.ofMillis(200)) == 0 ? idle + 1 : 0;
        }
        times++;
      }
    }
    return times;
  }

  /** Lines of errors, each with what is told of its cause. */
  private static List<String> errors(String output) {
    List<String> errors = new ArrayList<>();
    boolean within = false;
    for (String line : output.lines().toList()) {
      boolean begins = !line.isEmpty() && Character.isDigit(line.charAt(0));
      within = begins ? line.contains(" ERROR ") : within;
      if (within) {
        errors.add(line);
      }
    }
    return errors;
  }

  /** The broker is killed in the first two thirds only, so that its memory can be watched. */
  private void shake(NumberedWriter writer, List<Runnable> checks, double minutes)
      throws Exception {
    long start = System.nanoTime();
    long end = start + (long) (minutes * 60e9);
    long killsEnd = start + (end - start) * 2 / 3;
    while (System.nanoTime() < end) {
      writer.awaitMore(100 + random.nextInt(400));
      checks.forEach(Runnable::run);
      boolean kills = System.nanoTime() < killsEnd;
      int choice = random.nextInt(kills ? 8 : 6);
      switch (choice) {
        case 0 -> during("freeze", store::freeze, store::thaw);
        case 1 -> during("store killed", store::kill, store::startAgain);
        case 2 -> badly(StoreProxy.Mode.SLOW_DOWN);
        case 3 -> badly(StoreProxy.Mode.CUT);
        case 4 -> badly(StoreProxy.Mode.SLOW);
        case 5 -> badly(StoreProxy.Mode.ANY);
        default -> {
          count("broker killed");
          broker.kill();
          broker.startAgain();
        }
      }
      if (!kills) {
        footprints.add(Footprint.of(broker.pid(), broker.residentKb()));
      }
    }
  }

  private interface Step {
    void run() throws Exception;
  }

  private void during(String name, Step bad, Step good) throws Exception {
    count(name);
    bad.run();
    LockSupport.parkNanos((1_000 + random.nextInt(9_000)) * 1_000_000L);
    good.run();
  }

  private void badly(StoreProxy.Mode mode) throws Exception {
    during(mode.name(), () -> proxy.serve(mode), () -> proxy.serve(StoreProxy.Mode.PASS));
  }

  private void count(String fault) {
    faults.merge(fault, 1, Integer::sum);
  }

  /** What lags catches up, what expired goes, and an audit finds nothing wrong. */
  private void settle(TopicPartition kept, TopicPartition expiring, NumberedWriter writer)
      throws Exception {
    Topics.awaitReleased(broker.bootstrap(), kept, writer.acknowledged().size() / 2);
    Waiting.until(
        "what expired is gone",
        () -> Topics.offset(broker.bootstrap(), expiring, OffsetSpec.earliest()) > 0);
    Waiting.until(
        "an audit that finds nothing",
        () -> {
          Audit.Result audit = Audit.of(storeUri());
          List<AuditFinding> findings =
              audit.findings().stream().filter(finding -> !lawful(finding)).toList();
          if (!findings.isEmpty()) {
            throw new IllegalStateException(findings.toString());
          }
          System.out.println("SoakTest: " + audit.summary());
          return audit.summary().segments() > 0;
        });
    ToolProcess.Ended verified =
        ToolProcess.run(dir, ANY_KEYS, "tier", "verify", "--store", storeUri());
    System.out.println("SoakTest: tier verify: " + verified);
    assertThat(verified.exitCode()).as("tier verify").isZero();
  }

  /** What compaction leaves out. */
  private static boolean lawful(AuditFinding finding) {
    return finding.kind() == AuditFinding.Kind.HOLE
        && finding.partition().filter(p -> COMPACTED.contains(p.topic())).isPresent();
  }

  private String storeUri() {
    return "s3://" + BUCKET + "/soak?endpoint=" + store.endpoint();
  }

  private void assertNothingGrew() {
    if (footprints.size() < SAMPLES_MIN) {
      return;
    }
    Map<Footprint.Trend, Long> trends = new LinkedHashMap<>();
    trends.put(Footprint.Trend.of("resident kB", footprints, Footprint::residentKb), 0L);
    trends.put(Footprint.Trend.of("heap kB", footprints, Footprint::heapKb), 8L << 10);
    trends.put(Footprint.Trend.of("direct kB", footprints, Footprint::directKb), 8L << 10);
    trends.put(Footprint.Trend.of("threads", footprints, Footprint::threads), 4L);
    trends.put(Footprint.Trend.of("files", footprints, Footprint::files), 16L);
    System.out.println("SoakTest: " + trends.keySet());
    trends.forEach(
        (trend, more) -> assertThat(trend.grew(GROWTH_MAX, more)).as(trend.toString()).isFalse());
  }
}
