package io.strandline.tools.move;

import io.strandline.tools.balance.Step;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.PreferredLeaderNotAvailableException;

/** Lets the first replica of partitions lead. */
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
   * @param failed what could not be elected, and why; the controller's own balancing of leaders may
   *     do it later
   */
  void prefer(List<Step> steps, Map<TopicPartition, String> failed)
      throws ExecutionException, InterruptedException {
    Set<TopicPartition> left =
        steps.stream()
            .map(Step::partition)
            .filter(p -> !failed.containsKey(p))
            .collect(Collectors.toCollection(HashSet::new));
    Map<TopicPartition, Throwable> why = new HashMap<>();
    for (int i = 0; i < TRIES && !left.isEmpty(); i++) {
      if (i > 0) {
        Thread.sleep(PAUSE_MS);
      }
      why.clear();
      Map<TopicPartition, Optional<Throwable>> answers =
          admin.electLeaders(ElectionType.PREFERRED, left).partitions().get();
      answers.forEach(
          (partition, trouble) ->
              trouble
                  .filter(t -> !(t instanceof ElectionNotNeededException))
                  .ifPresent(t -> why.put(partition, t)));
      left.retainAll(why.keySet());
      if (why.values().stream().noneMatch(t -> t instanceof PreferredLeaderNotAvailableException)) {
        break;
      }
    }
    left.forEach(p -> failed.put(p, "moved, but its first replica does not lead: " + why.get(p)));
  }
}
