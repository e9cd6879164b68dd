package io.strandline.tools.move;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.common.TopicPartition;

/** Whether moves get on: one ended, one began, or a new replica has grown. */
final class Stall {
  private static final long LOOK_NANOS = 5_000_000_000L;

  private final Admin admin;
  private final long patienceNanos;
  private long lastSeen = System.nanoTime();
  private long lastLook = lastSeen;
  private int waiting = -1;
  private Set<TopicPartition> moving = Set.of();
  private long bytes = -1;

  Stall(Admin admin, Duration patience) {
    this.admin = admin;
    this.patienceNanos = patience.toNanos();
  }

  /** Whether it is time to give up. */
  boolean given(int nowWaiting, Map<TopicPartition, PartitionReassignment> nowMoving)
      throws InterruptedException {
    long now = System.nanoTime();
    if (nowWaiting != waiting || !nowMoving.keySet().equals(moving)) {
      waiting = nowWaiting;
      moving = Set.copyOf(nowMoving.keySet());
      lastSeen = now;
    } else if (now - lastLook >= LOOK_NANOS) {
      lastLook = now;
      long there = bytes(nowMoving);
      if (there != bytes) {
        bytes = there;
        lastSeen = now;
      }
    }
    return now - lastSeen > patienceNanos;
  }

  private long bytes(Map<TopicPartition, PartitionReassignment> now) throws InterruptedException {
    Set<Integer> receivers =
        now.values().stream().flatMap(m -> m.addingReplicas().stream()).collect(Collectors.toSet());
    Survey.Disks disks = Survey.Disks.of(admin, receivers);
    return now.entrySet().stream()
        .flatMapToLong(
            m -> m.getValue().addingReplicas().stream().mapToLong(b -> disks.of(b, m.getKey())))
        .sum();
  }
}
