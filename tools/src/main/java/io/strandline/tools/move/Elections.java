package io.strandline.tools.move;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.PreferredLeaderNotAvailableException;

/** Lets the first replica of partitions lead, whichever that is by then. */
final class Elections {
  private static final int TRIES = 25;
  private static final long PAUSE_MS = 200;

  private final Admin admin;

  Elections(Admin admin) {
    this.admin = admin;
  }

  /**
   * Asks for it until it is so, for some seconds: who has just been moved may not be in sync yet.
   *
   * @return what could not be elected, and why; the controller's own balancing of leaders may do it
   *     later
   */
  Map<TopicPartition, Throwable> prefer(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    Set<TopicPartition> left = new HashSet<>(partitions);
    Map<TopicPartition, Throwable> failed = new HashMap<>();
    for (int i = 0; i < TRIES && !left.isEmpty(); i++) {
      if (i > 0) {
        Thread.sleep(PAUSE_MS);
      }
      Map<TopicPartition, Optional<Throwable>> answers =
          admin.electLeaders(ElectionType.PREFERRED, left).partitions().get();
      failed.keySet().removeAll(left);
      left.clear();
      answers.forEach(
          (partition, trouble) ->
              trouble
                  .filter(t -> !(t instanceof ElectionNotNeededException))
                  .ifPresent(t -> failed.put(partition, t)));
      failed.forEach(
          (partition, why) -> {
            if (why instanceof PreferredLeaderNotAvailableException) {
              left.add(partition);
            }
          });
    }
    return failed;
  }
}
