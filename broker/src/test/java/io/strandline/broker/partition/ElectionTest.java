package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.coordinator.LogLoader;
import io.strandline.broker.coordinator.Offices;
import io.strandline.broker.coordinator.OffsetVerification;
import io.strandline.broker.coordinator.PartitionAppends;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A coordinator is elected while the owner of its partition has not heard of the last elections.
 */
@Timeout(30)
class ElectionTest {
  private static final TopicPartition GROUPS = new TopicPartition(Rig.NAME, 0);

  private final Queue<Runnable> queued = new ArrayDeque<>();
  private final List<Long> committed = Collections.synchronizedList(new ArrayList<>());
  private final List<String> replayed = Collections.synchronizedList(new ArrayList<>());
  private boolean held;
  private Rig rig;

  @TempDir Path dir;

  @BeforeEach
  void start() {
    rig = new Rig();
    rig.writes =
        task -> {
          if (held) {
            queued.add(task);
          } else {
            task.run();
          }
        };
    rig.start(dir);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void itLoadsInTheTenureItWasElectedForAndHearsOfItsCommits() throws Exception {
    Partition partition = rig.lead(0);
    partition.append(rig.records("a"), (short) -1);
    held = true;
    rig.follow(0);
    rig.lead(0);
    assertThat(partition.leads()).as("in the tenure before").isTrue();

    Offices offices = new Offices(rig.partitions, rig::view);
    PartitionAppends appends = new PartitionAppends(rig.partitions, OffsetVerification.NONE);
    LogLoader<String> loader =
        new LogLoader<>(
            offices,
            (key, value) -> StandardCharsets.UTF_8.decode(value).toString(),
            1_000,
            rig.timer,
            () -> rig.nowMs);
    CompletableFuture<Void> active =
        loader
            .load(GROUPS, playback())
            .thenRun(() -> appends.registerListener(GROUPS, (of, mark) -> committed.add(mark)));
    rig.timer.submit(() -> {}).get(10, TimeUnit.SECONDS); // it has looked once
    assertThat(active).isNotDone();

    held = false;
    while (!queued.isEmpty()) {
      queued.remove().run();
    }
    active.get(10, TimeUnit.SECONDS);
    assertThat(replayed).containsExactly("a");
    appends.append(GROUPS, VerificationGuard.SENTINEL, rig.records("b"), (short) 0);
    assertThat(committed).containsExactly(1L, 2L);
  }

  @SuppressWarnings("unchecked")
  private CoordinatorPlayback<String> playback() {
    return (CoordinatorPlayback<String>)
        Proxy.newProxyInstance(
            ElectionTest.class.getClassLoader(),
            new Class<?>[] {CoordinatorPlayback.class},
            (proxy, method, arguments) -> {
              if ("replay".equals(method.getName())) {
                replayed.add((String) arguments[3]);
              }
              return null;
            });
  }
}
