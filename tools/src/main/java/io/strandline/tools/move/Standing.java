package io.strandline.tools.move;

import io.strandline.tools.balance.Step;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * How things stand by now. A step waits its turn for hours at times, and meanwhile others move and
 * delete partitions, and brokers die or are drained.
 */
final class Standing {
  private final Admin admin;

  Standing(Admin admin) {
    this.admin = admin;
  }

  /**
   * Where a partition lies.
   *
   * @param replicas in their order; of one that is being reassigned, those that come and those that
   *     go as well
   */
  record Place(List<Integer> replicas, boolean led) {
    /** Whether these brokers have it and no others, in whatever order. */
    boolean on(List<Integer> brokers) {
      return new HashSet<>(replicas).equals(new HashSet<>(brokers));
    }
  }

  /**
   * What steps find.
   *
   * @param places of the partitions that are there; the others were deleted
   * @param cordoned of the brokers that would get a replica
   */
  record Found(Map<TopicPartition, Place> places, Set<Integer> alive, Set<Integer> cordoned) {
    /**
     * What speaks against a step by now.
     *
     * @param place where its partition lies
     */
    Optional<String> against(Step step, Place place) {
      if (!step.added().isEmpty() && !place.led()) {
        return Optional.of("it has no leader to copy from");
      }
      // Who is to lead next has to be there; of a move only those that copy.
      for (int broker : step.moves() ? step.added() : step.to().subList(0, 1)) {
        if (!alive.contains(broker)) {
          return Optional.of("broker " + broker + " is not alive any more");
        }
        if (cordoned.contains(broker)) {
          return Optional.of("broker " + broker + " was cordoned since");
        }
      }
      return Optional.empty();
    }
  }

  /**
   * Looks at all that steps are about.
   *
   * @param open brokers that take replicas whatever they say themselves
   */
  Found of(List<Step> steps, Set<Integer> open) throws ExecutionException, InterruptedException {
    Set<Integer> receivers =
        steps.stream().flatMap(step -> step.added().stream()).collect(Collectors.toSet());
    receivers.removeAll(open);
    // First who may take long to answer, being about to be found dead.
    Set<Integer> cordoned =
        receivers.isEmpty() ? Set.of() : Survey.Disks.of(admin, receivers).cordoned();
    Set<Integer> alive = alive();
    return new Found(places(steps.stream().map(Step::partition).toList()), alive, cordoned);
  }

  /** Brokers that are not fenced. */
  Set<Integer> alive() throws ExecutionException, InterruptedException {
    return admin.describeCluster().nodes().get().stream().map(Node::id).collect(Collectors.toSet());
  }

  /**
   * Where partitions lie, as the broker knows that is asked: it hears of it after the controller.
   *
   * @return without those that do not exist
   */
  Map<TopicPartition, Place> places(Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    Set<TopicPartition> wanted = Set.copyOf(partitions);
    Set<String> topics = wanted.stream().map(TopicPartition::topic).collect(Collectors.toSet());
    Map<TopicPartition, Place> places = new HashMap<>();
    for (var answer : admin.describeTopics(topics).topicNameValues().entrySet()) {
      try {
        for (TopicPartitionInfo info : answer.getValue().get().partitions()) {
          TopicPartition partition = new TopicPartition(answer.getKey(), info.partition());
          if (wanted.contains(partition)) {
            List<Integer> replicas = info.replicas().stream().map(Node::id).toList();
            places.put(partition, new Place(replicas, info.leader() != null));
          }
        }
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
      }
    }
    return places;
  }
}
