package io.strandline.tools.move;

import io.strandline.tools.balance.Plan;
import io.strandline.tools.balance.Step;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.common.TopicPartition;

/**
 * Carries a plan out: leaders first, all at once in small groups, then replicas, so many partitions
 * at a time. The work is the controller's: whoever ends this process stops nothing that is under
 * way, and a new plan begins with what is there by then.
 */
public final class Mover {
  private static final long LOOK_MS = 200;
  private static final int LEADERS_AT_ONCE = 100;

  private final Admin admin;
  private final Settings settings;
  private final Reports reports;
  private final Elections elections;
  private final Map<TopicPartition, String> failed = new LinkedHashMap<>();
  private final Map<TopicPartition, Step> underWay = new LinkedHashMap<>();
  private volatile int waiting;

  /**
   * How a plan is carried out.
   *
   * @param atOnce partitions that are copied at a time, those that others began included
   * @param patience how long nothing may get on before it is given up
   */
  public record Settings(int atOnce, Duration patience) {}

  /** Who is told how it goes. */
  public interface Reports {
    /** A step's end. */
    void done(Step step, Duration took);
  }

  /**
   * How it went.
   *
   * @param failed what was not done, and why
   */
  public record Outcome(int done, Map<TopicPartition, String> failed) {}

  public Mover(Admin admin, Settings settings, Reports reports) {
    this.admin = admin;
    this.settings = settings;
    this.reports = reports;
    this.elections = new Elections(admin);
  }

  /** Partitions that are being copied for this plan now. */
  public synchronized int underWay() {
    return underWay.size();
  }

  /** Steps that were not begun yet. */
  public int waiting() {
    return waiting;
  }

  /** Carries it out to its end, or until nothing gets on any more. */
  public Outcome carryOut(Plan plan) throws ExecutionException, InterruptedException {
    List<Step> leaders = plan.steps().stream().filter(step -> !step.moves()).toList();
    Deque<Step> moves = new ArrayDeque<>(plan.steps().stream().filter(Step::moves).toList());
    waiting = moves.size();
    for (int i = 0; i < leaders.size(); i += LEADERS_AT_ONCE) {
      lead(leaders.subList(i, Math.min(leaders.size(), i + LEADERS_AT_ONCE)));
    }
    move(moves);
    return new Outcome(plan.steps().size() - failed.size(), Map.copyOf(failed));
  }

  /**
   * Waits until nothing is being moved, whoever began it.
   *
   * @return false if it does not get on any more
   */
  public boolean settled() throws ExecutionException, InterruptedException {
    Stall stall = new Stall(admin, settings.patience());
    while (true) {
      Map<TopicPartition, PartitionReassignment> now =
          admin.listPartitionReassignments().reassignments().get();
      if (now.isEmpty() || stall.given(0, now)) {
        return now.isEmpty();
      }
      Thread.sleep(LOOK_MS);
    }
  }

  private void lead(List<Step> steps) throws ExecutionException, InterruptedException {
    long began = System.nanoTime();
    List<Step> asked = begin(steps.stream().filter(step -> !step.electsOnly()).toList());
    List<Step> wanted = new ArrayList<>(steps.stream().filter(Step::electsOnly).toList());
    wanted.addAll(asked);
    elections.prefer(wanted, failed);
    for (Step step : wanted) {
      if (!failed.containsKey(step.partition())) {
        reports.done(step, Duration.ofNanos(System.nanoTime() - began));
      }
    }
  }

  private void move(Deque<Step> moves) throws ExecutionException, InterruptedException {
    Map<TopicPartition, Long> began = new HashMap<>();
    Stall stall = new Stall(admin, settings.patience());
    while (!moves.isEmpty() || underWay() > 0) {
      Map<TopicPartition, PartitionReassignment> now =
          admin.listPartitionReassignments().reassignments().get();
      end(now.keySet(), began);
      List<Step> next = new ArrayList<>();
      while (!moves.isEmpty() && now.size() + next.size() < settings.atOnce()) {
        next.add(moves.remove());
      }
      waiting = moves.size();
      for (Step step : begin(next)) {
        began.put(step.partition(), System.nanoTime());
        track(step);
      }
      if (stall.given(moves.size(), now)) {
        moves.forEach(step -> failed.put(step.partition(), "not begun: others do not get on"));
        underWay.keySet().forEach(p -> failed.put(p, "does not get on; it is still under way"));
        return;
      }
      if (underWay() > 0 || !moves.isEmpty()) {
        Thread.sleep(LOOK_MS);
      }
    }
  }

  private synchronized void track(Step step) {
    underWay.put(step.partition(), step);
  }

  /** What is no longer being reassigned has ended, and its first replica may lead. */
  private void end(Set<TopicPartition> moving, Map<TopicPartition, Long> began)
      throws ExecutionException, InterruptedException {
    List<Step> ended;
    synchronized (this) {
      ended = underWay.values().stream().filter(s -> !moving.contains(s.partition())).toList();
      ended.forEach(step -> underWay.remove(step.partition()));
    }
    elections.prefer(ended, failed);
    for (Step step : ended) {
      if (!failed.containsKey(step.partition())) {
        long since = began.getOrDefault(step.partition(), System.nanoTime());
        reports.done(step, Duration.ofNanos(System.nanoTime() - since));
      }
    }
  }

  /** Asks the controller; what it refuses has failed. Returns what it took. */
  private List<Step> begin(List<Step> steps) throws InterruptedException {
    if (steps.isEmpty()) {
      return steps;
    }
    var answers =
        admin
            .alterPartitionReassignments(
                steps.stream()
                    .collect(
                        Collectors.toMap(
                            Step::partition,
                            s -> Optional.of(new NewPartitionReassignment(s.to())))))
            .values();
    List<Step> taken = new ArrayList<>();
    Set<TopicPartition> refused = new HashSet<>();
    for (var answer : answers.entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        refused.add(answer.getKey());
        failed.put(answer.getKey(), String.valueOf(e.getCause()));
      }
    }
    steps.stream().filter(step -> !refused.contains(step.partition())).forEach(taken::add);
    return taken;
  }
}
