package io.strandline.tools.move;

import io.strandline.tools.balance.Plan;
import io.strandline.tools.balance.Step;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterPartitionReassignmentsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * Carries a plan out: leaders first, all at once in small groups, then replicas, so many partitions
 * at a time. The work is the controller's: whoever ends this process stops nothing that is under
 * way, and a new plan begins with what is there by then.
 *
 * <p>A plan is of a moment and others act too. Right before a step is begun its partition has to
 * lie where the plan found it, and not to be on its way; a step that does not fit any more is left
 * out and named. Nor does the controller let a step change how many replicas there are (KIP-860),
 * whatever happens in between.
 */
public final class Mover {
  private static final long LOOK_MS = 200;
  private static final int LEADERS_AT_ONCE = 100;

  /** Looks for which a broker may not know yet what the controller has done. */
  private static final int LATE_LOOKS = 25;

  private final Admin admin;
  private final Settings settings;
  private final Reports reports;
  private final Elections elections;
  private final Standing standing;
  private final Map<TopicPartition, String> failed = new LinkedHashMap<>();
  private final Set<TopicPartition> gone = new LinkedHashSet<>();
  private final Map<TopicPartition, Begun> underWay = new LinkedHashMap<>();

  /** Where partitions lay before a step of this plan: a broker that hears of it late says so. */
  private final Map<TopicPartition, List<Integer>> before = new HashMap<>();

  private int done;
  private volatile int waiting;
  private volatile boolean stopped;

  /**
   * How a plan is carried out.
   *
   * @param atOnce partitions that are copied at a time, those that others began included
   * @param patience how long nothing may get on before it is given up
   * @param uncordoned brokers that were cordoned until a moment ago and may say so still
   */
  public record Settings(int atOnce, Duration patience, Set<Integer> uncordoned) {}

  /** Who is told how it goes. */
  public interface Reports {
    /** A step's end. */
    void done(Step step, Duration took);
  }

  /**
   * How it went.
   *
   * @param done steps
   * @param failed what was not done, and why
   * @param gone what was deleted before it was done
   * @param stalled whether it was given up, as nothing got on
   */
  public record Outcome(
      int done, Map<TopicPartition, String> failed, Set<TopicPartition> gone, boolean stalled) {
    /** Of a plan with no steps. */
    public static final Outcome NOTHING = new Outcome(0, Map.of(), Set.of(), false);
  }

  /**
   * A step that the controller took.
   *
   * @param late looks since it ended without its partition lying where it should
   */
  private record Begun(Step step, long nanos, int late) {}

  public Mover(Admin admin, Settings settings, Reports reports) {
    this.admin = admin;
    this.settings = settings;
    this.reports = reports;
    this.elections = new Elections(admin);
    this.standing = new Standing(admin);
  }

  /** Partitions that are being copied for this plan now. */
  public int underWay() {
    synchronized (underWay) {
      return underWay.size();
    }
  }

  /** Steps that were not begun yet. */
  public int waiting() {
    return waiting;
  }

  /** Lets nothing begin any more, by any thread; what is under way goes on. */
  public void stop() {
    stopped = true;
  }

  public boolean stopped() {
    return stopped;
  }

  /** Carries it out to its end, or until nothing gets on any more. */
  public Outcome carryOut(Plan plan) throws ExecutionException, InterruptedException {
    List<Step> leaders = plan.steps().stream().filter(step -> !step.moves()).toList();
    Deque<Step> moves = new ArrayDeque<>(plan.steps().stream().filter(Step::moves).toList());
    waiting = moves.size();
    for (int i = 0; i < leaders.size() && !stopped; i += LEADERS_AT_ONCE) {
      lead(leaders.subList(i, Math.min(leaders.size(), i + LEADERS_AT_ONCE)));
    }
    boolean stalled = move(moves);
    failed.keySet().removeAll(gone);
    return new Outcome(done, Map.copyOf(failed), Set.copyOf(gone), stalled);
  }

  /**
   * Waits until nothing is being moved, whoever began it.
   *
   * @return false if it does not get on any more
   */
  public boolean settled() throws ExecutionException, InterruptedException {
    Stall stall = new Stall(admin, settings.patience());
    while (true) {
      Map<TopicPartition, PartitionReassignment> now = moving();
      if (now.isEmpty() || stall.given(0, now)) {
        return now.isEmpty();
      }
      Thread.sleep(LOOK_MS);
    }
  }

  private Map<TopicPartition, PartitionReassignment> moving()
      throws ExecutionException, InterruptedException {
    return admin.listPartitionReassignments().reassignments().get();
  }

  private void lead(List<Step> steps) throws ExecutionException, InterruptedException {
    long began = System.nanoTime();
    List<Step> fit = fit(steps, moving().keySet());
    List<Step> wanted = new ArrayList<>(fit.stream().filter(Step::electsOnly).toList());
    for (Step step : begin(fit.stream().filter(step -> !step.electsOnly()).toList())) {
      before.put(step.partition(), step.from());
      wanted.add(step);
    }
    elect(wanted);
    wanted.forEach(step -> tell(step, began));
  }

  /** Returns whether it was given up. */
  private boolean move(Deque<Step> moves) throws ExecutionException, InterruptedException {
    Stall stall = new Stall(admin, settings.patience());
    while (!stopped && (!moves.isEmpty() || underWay() > 0)) {
      Map<TopicPartition, PartitionReassignment> now = moving();
      end(now.keySet());
      List<Step> next = new ArrayList<>();
      while (!moves.isEmpty() && now.size() + next.size() < settings.atOnce()) {
        next.add(moves.remove());
      }
      for (Step step : begin(fit(next, now.keySet()))) {
        track(new Begun(step, System.nanoTime(), 0));
      }
      waiting = moves.size();
      if (stall.given(moves.size(), now)) {
        moves.forEach(step -> failed.put(step.partition(), "not begun: others do not get on"));
        underWay.keySet().forEach(p -> failed.put(p, "does not get on; it is still under way"));
        return true;
      }
      if (underWay() > 0 || !moves.isEmpty()) {
        Thread.sleep(LOOK_MS);
      }
    }
    return false;
  }

  private void track(Begun begun) {
    synchronized (underWay) {
      underWay.put(begun.step().partition(), begun);
    }
  }

  private void tell(Step step, long beganNanos) {
    if (!failed.containsKey(step.partition()) && !gone.contains(step.partition())) {
      done++;
      reports.done(step, Duration.ofNanos(System.nanoTime() - beganNanos));
    }
  }

  /**
   * What is no longer being reassigned has ended, and its first replica may lead. It need not have
   * ended well: others cancel and delete.
   */
  private void end(Set<TopicPartition> moving) throws ExecutionException, InterruptedException {
    List<Begun> over =
        underWay.values().stream().filter(b -> !moving.contains(b.step().partition())).toList();
    if (over.isEmpty()) {
      return;
    }
    Map<TopicPartition, Standing.Place> places =
        standing.places(over.stream().map(begun -> begun.step().partition()).toList());
    List<Begun> arrived = new ArrayList<>();
    for (Begun begun : over) {
      TopicPartition partition = begun.step().partition();
      Standing.Place place = places.get(partition);
      if (place == null) {
        gone.add(partition);
      } else if (place.on(begun.step().to())) {
        arrived.add(begun);
      } else if (begun.late() < LATE_LOOKS) {
        track(new Begun(begun.step(), begun.nanos(), begun.late() + 1));
        continue;
      } else {
        failed.put(partition, "others ended its move: it lies on " + place.replicas());
      }
      synchronized (underWay) {
        underWay.remove(partition);
      }
    }
    elect(arrived.stream().map(Begun::step).toList());
    arrived.forEach(begun -> tell(begun.step(), begun.nanos()));
  }

  /** Where it can lead: a replica on a broker that is dead waits for that one, as it did before. */
  private void elect(List<Step> steps) throws ExecutionException, InterruptedException {
    Set<Integer> alive = steps.isEmpty() ? Set.of() : standing.alive();
    Set<TopicPartition> able =
        steps.stream()
            .filter(step -> !step.moves() || alive.contains(step.to().get(0)))
            .map(Step::partition)
            .collect(Collectors.toSet());
    elections
        .prefer(able)
        .forEach(
            (partition, why) ->
                refused(partition, "moved, but its first replica does not lead: ", why));
  }

  private void refused(TopicPartition partition, String what, Throwable why) {
    if (why instanceof UnknownTopicOrPartitionException) {
      gone.add(partition);
    } else {
      failed.put(partition, what + why);
    }
  }

  /** Those that are about what is there still, as it was when they were planned. */
  private List<Step> fit(List<Step> steps, Set<TopicPartition> moving)
      throws ExecutionException, InterruptedException {
    if (steps.isEmpty()) {
      return steps;
    }
    Standing.Found found = standing.of(steps, settings.uncordoned());
    List<Step> fit = new ArrayList<>();
    for (Step step : steps) {
      TopicPartition partition = step.partition();
      Standing.Place place = found.places().get(partition);
      if (place == null) {
        gone.add(partition);
        continue;
      }
      Optional<String> against =
          moving.contains(partition)
              ? Optional.of("others are moving it")
              : lies(step, place)
                  ? found.against(step, place)
                  : Optional.of(
                      "others have moved it since: it lies on "
                          + place.replicas()
                          + " and not on "
                          + step.from());
      if (against.isPresent()) {
        // Why the step before it of the same partition was not done says more.
        failed.putIfAbsent(partition, "left alone: " + against.get());
      } else {
        fit.add(step);
      }
    }
    return fit;
  }

  private boolean lies(Step step, Standing.Place place) {
    return place.replicas().equals(step.from())
        || place.replicas().equals(before.get(step.partition()));
  }

  /** Asks the controller; what it refuses has failed. Returns what it took. */
  private List<Step> begin(List<Step> steps) throws InterruptedException {
    if (steps.isEmpty() || stopped) {
      return List.of();
    }
    Map<TopicPartition, Throwable> refused = ask(steps, false);
    if (refused.values().stream().anyMatch(why -> why instanceof UnsupportedVersionException)) {
      // A broker before KIP-860 can not be told; what was looked at a moment ago has to do.
      refused = ask(steps, true);
    }
    List<Step> taken = new ArrayList<>();
    for (Step step : steps) {
      Throwable why = refused.get(step.partition());
      if (why == null) {
        // What an earlier step of it did not reach is behind it.
        failed.remove(step.partition());
        taken.add(step);
      } else {
        refused(step.partition(), "", why);
      }
    }
    return taken;
  }

  private Map<TopicPartition, Throwable> ask(List<Step> steps, boolean anyNumberOfReplicas)
      throws InterruptedException {
    Map<TopicPartition, KafkaFuture<Void>> answers =
        admin
            .alterPartitionReassignments(
                steps.stream()
                    .collect(
                        Collectors.toMap(
                            Step::partition,
                            s -> Optional.of(new NewPartitionReassignment(s.to())))),
                new AlterPartitionReassignmentsOptions()
                    .allowReplicationFactorChange(anyNumberOfReplicas))
            .values();
    Map<TopicPartition, Throwable> refused = new HashMap<>();
    for (var answer : answers.entrySet()) {
      try {
        answer.getValue().get();
      } catch (ExecutionException e) {
        refused.put(answer.getKey(), e.getCause() == null ? e : e.getCause());
      }
    }
    return refused;
  }
}
