package io.strandline.tests.fault.nemesis;

import io.strandline.tests.fault.exactly.Workload;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes, all partitions on all of them, clients that write and read in every way, and one
 * misfortune after another. Nothing that was acknowledged is lost, doubled, reordered or torn, and
 * every time all replicas are in sync again. Crash model: process; a disk is lost only while others
 * have what it had.
 *
 * <p>Longer: {@code -Dnemesis.minutes=N}; again: {@code -Dfault.seed=S}; chosen ones alone: {@code
 * -Dnemesis.only=KILLED,DEAF}.
 */
@Timeout(value = 12, unit = TimeUnit.HOURS)
class NemesisTest {
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));
  private static final Duration LONG = Duration.ofMinutes(Integer.getInteger("nemesis.minutes", 0));
  private static final String ONLY = System.getProperty("nemesis.only", "");
  private static final int MISFORTUNES_PER_WORKLOAD = 4;

  /** Before and after each. */
  private static final int TRANSACTIONS = LONG.isZero() ? 10 : 30;

  /** Retention is longer than any clock here is wrong, and shorter than clocks that jump forth. */
  private static final Map<String, String> TOPICS = Map.of("retention.ms", "86400000");

  @TempDir Path dir;

  private final Random random = new Random(SEED);

  @Test
  void whatClientsSawIsWhatKafkaPromises() throws Exception {
    System.out.println(
        "NemesisTest: -Dfault.seed=" + SEED + " -Dnemesis.minutes=" + LONG.toMinutes());
    long end = System.nanoTime() + LONG.toNanos();
    try (Scene scene = new Scene(dir, random)) {
      List<Misfortune> bag = new ArrayList<>();
      int episode = 0;
      do {
        try (Workload workload = new Workload(scene.bootstrap(), "e" + episode++, random, TOPICS)) {
          workload.awaitTransactions(TRANSACTIONS);
          for (Misfortune next : some(scene, bag)) {
            scene.awaitWhole();
            int node = 1 + random.nextInt(3);
            System.out.println(LocalTime.now(ZoneId.systemDefault()) + " " + next + " " + node);
            next.befall(scene, node);
            workload.awaitTransactions(TRANSACTIONS);
          }
          scene.awaitWhole();
          workload.finish();
          workload.assertTiered();
        }
      } while (System.nanoTime() < end);
    }
  }

  /** In CI always the same few; in a long run each kind once before any comes again. */
  private List<Misfortune> some(Scene scene, List<Misfortune> bag) {
    if (LONG.isZero() && ONLY.isEmpty()) {
      return List.of(Misfortune.KILLED, Misfortune.ISOLATED);
    }
    List<Misfortune> chosen = new ArrayList<>();
    while (chosen.size() < MISFORTUNES_PER_WORKLOAD) {
      if (bag.isEmpty()) {
        bag.addAll(possible(scene));
      }
      chosen.add(bag.remove(random.nextInt(bag.size())));
    }
    return chosen;
  }

  private static List<Misfortune> possible(Scene scene) {
    List<String> only = List.of(ONLY.split(","));
    return Arrays.stream(Misfortune.values())
        .filter(one -> ONLY.isEmpty() || only.contains(one.name()))
        .filter(one -> scene.hasClocks() || !one.name().contains("CLOCK"))
        .filter(one -> scene.hasDisks() || one != Misfortune.DISK_FULL)
        .toList();
  }
}
