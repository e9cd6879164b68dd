package io.strandline.tools;

import io.strandline.tools.balance.Goals;
import io.strandline.tools.balance.Measure;
import io.strandline.tools.balance.Plan;
import io.strandline.tools.balance.Planner;
import io.strandline.tools.balance.Snapshot;
import io.strandline.tools.balance.Steady;
import io.strandline.tools.balance.Step;
import io.strandline.tools.move.Cordons;
import io.strandline.tools.move.Mover;
import io.strandline.tools.move.Survey;
import io.strandline.tools.move.Throttle;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where partitions should lie, and moving them there. */
@Command(
    name = "balance",
    description = {
      "Spread partitions over the brokers by load and rack, or drain brokers, or take leaders off"
          + " them.",
      "Says what would be moved and what that costs: bytes that are not in the tier, which are all"
          + " that a new replica copies. --execute does it. Interrupted, what is under way goes on;"
          + " the next run begins with what is there by then.",
      "The exit code is 0 when nothing is left to do, or only a preview was asked for; 1 when"
          + " something could not be moved."
    },
    mixinStandardHelpOptions = true)
@SuppressWarnings("NullAway.Init") // picocli sets fields
final class BalanceCommand implements Callable<Integer> {
  private static final int ROUNDS = 10;

  @Spec private CommandSpec spec;
  @Mixin private Connection connection;
  @Mixin private Printer printer;

  @Option(names = "--execute", description = "Carry it out.")
  private boolean execute;

  @Option(names = "--preview", description = "Only say what would be done (default).")
  private boolean preview;

  @Option(
      names = "--drain",
      split = ",",
      paramLabel = "ID",
      description =
          "Take everything off these brokers, leaders first, and nothing else. They are cordoned"
              + " (cordoned.log.dirs) and stay so: nothing new is placed on them.")
  private Set<Integer> drain = new TreeSet<>();

  @Option(
      names = "--leaders-off",
      split = ",",
      paramLabel = "ID",
      description =
          "Let these brokers lead nothing, and do nothing else: their replicas stay, and they are not"
              + " cordoned. A later run without it gives them leaders again.")
  private Set<Integer> leadersOff = new TreeSet<>();

  @Option(
      names = "--uncordon",
      split = ",",
      paramLabel = "ID",
      description = "Let these brokers have replicas again.")
  private Set<Integer> uncordon = new TreeSet<>();

  @Option(
      names = "--continuous",
      description = "Look again and again, and move what should be moved; with --execute.")
  private boolean continuous;

  @Option(
      names = "--interval",
      paramLabel = "SECONDS",
      defaultValue = "30",
      description = "Between looks of --continuous (default: ${DEFAULT-VALUE}).")
  private int intervalSeconds;

  @Option(
      names = "--sample",
      paramLabel = "SECONDS",
      defaultValue = "5",
      description = "How long the load is looked at (default: ${DEFAULT-VALUE}).")
  private int sampleSeconds;

  @Option(
      names = "--threshold",
      paramLabel = "PERCENT",
      defaultValue = "15",
      description =
          "How far brokers have to be apart for anything to be moved, in parts of their mean"
              + " (default: ${DEFAULT-VALUE}).")
  private int thresholdPercent;

  @Option(
      names = "--at-once",
      paramLabel = "N",
      defaultValue = "10",
      description = "Partitions that are copied at a time (default: ${DEFAULT-VALUE}).")
  private int atOnce;

  @Option(
      names = "--throttle",
      paramLabel = "BYTES",
      defaultValue = "0",
      description =
          "What each broker sends and fetches a second for moves at most, by replication quotas"
              + " (KIP-73) that are set before and taken away after them (default: no limit).")
  private long throttleBytes;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description = "Give up when nothing gets on for so long (default: ${DEFAULT-VALUE}).")
  private int patienceSeconds;

  @Override
  public Integer call() throws IOException, ExecutionException, InterruptedException {
    if (preview && execute) {
      throw new ParameterException(spec.commandLine(), "either --preview or --execute");
    }
    if (continuous && (!execute || !drain.isEmpty())) {
      throw new ParameterException(
          spec.commandLine(), "--continuous goes with --execute, and not with --drain");
    }
    if (!leadersOff.isEmpty() && (continuous || !drain.isEmpty())) {
      throw new ParameterException(
          spec.commandLine(), "--leaders-off goes neither with --drain nor with --continuous");
    }
    if (throttleBytes < 0
        || atOnce < 1
        || thresholdPercent < 1
        || sampleSeconds < 0
        || intervalSeconds < 1) {
      throw new ParameterException(spec.commandLine(), "numbers must be 1 at least");
    }
    try (Admin admin = connection.admin()) {
      Survey survey = new Survey(admin);
      if (execute) {
        cordon(new Cordons(admin));
      }
      if (continuous) {
        return again(admin, survey);
      }
      return drain.isEmpty() || !execute ? once(admin, survey) : drain(admin, survey);
    }
  }

  private void cordon(Cordons cordons) throws ExecutionException, InterruptedException {
    cordons
        .set(drain)
        .forEach(
            (id, why) ->
                complain("broker " + id + " is not cordoned, new partitions may come: " + why));
    cordons
        .lift(uncordon)
        .forEach((id, why) -> complain("broker " + id + " stays cordoned: " + why));
  }

  // ---- one plan

  private int once(Admin admin, Survey survey) throws ExecutionException, InterruptedException {
    Snapshot seen = look(survey);
    Plan plan = leadersOff.isEmpty() ? Planner.plan(seen, goals()) : Planner.leadersOff(seen);
    print(plan);
    if (!execute) {
      return 0;
    }
    return carryOut(admin, plan).failed().isEmpty() && plan.stuck().isEmpty() ? 0 : 1;
  }

  private Snapshot look(Survey survey) throws ExecutionException, InterruptedException {
    Survey.Ends before = survey.ends();
    Thread.sleep(Duration.ofSeconds(sampleSeconds).toMillis());
    Snapshot seen = survey.since(before).snapshot();
    Set<Integer> known = seen.brokers().stream().map(b -> b.id()).collect(Collectors.toSet());
    Set<Integer> relieved = leadersOff.isEmpty() ? drain : leadersOff;
    if (!known.containsAll(relieved)) {
      throw new IllegalArgumentException("no such broker among " + known + ": " + relieved);
    }
    return seen.draining(relieved).uncordoned(uncordon);
  }

  private Mover.Outcome carryOut(Admin admin, Plan plan)
      throws ExecutionException, InterruptedException {
    if (plan.isEmpty()) {
      return Mover.Outcome.NOTHING;
    }
    long began = System.nanoTime();
    Mover mover = mover(admin);
    Throttle throttle = new Throttle(admin, plan, throttleBytes);
    Thread onSignal = new Thread(() -> interrupted(mover, throttle), "balance-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    Mover.Outcome outcome;
    try {
      if (throttleBytes > 0) {
        throttle.set();
      }
      outcome = mover.carryOut(plan);
      if (mover.stopped()) {
        onSignal.join(); // nothing else is planned either
      }
    } finally {
      lift(throttle);
      forget(onSignal);
    }
    printer.flush();
    outcome.failed().forEach((partition, why) -> complain(partition + ": " + why));
    outcome.gone().forEach(partition -> complain(partition + ": was deleted meanwhile"));
    double seconds = (System.nanoTime() - began) / 1e9;
    printer.total(
        String.format(
            Locale.ROOT, "%d of %d done in %.1f s", outcome.done(), plan.steps().size(), seconds),
        "done",
        outcome.done(),
        "failed",
        outcome.failed().size(),
        "gone",
        outcome.gone().size(),
        "seconds",
        Math.round(seconds * 10) / 10.0);
    return outcome;
  }

  private Mover mover(Admin admin) {
    return new Mover(
        admin,
        new Mover.Settings(atOnce, Duration.ofSeconds(patienceSeconds), uncordon),
        this::done);
  }

  private static void forget(Thread onSignal) {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException e) {
      // The process is ending, by a signal.
    }
  }

  private void interrupted(Mover mover, Throttle throttle) {
    mover.stop();
    System.err.printf(
        "interrupted: %d partitions that are under way go on%s, %d were not begun%n",
        mover.underWay(), throttleBytes > 0 ? " without a limit" : "", mover.waiting());
    try {
      lift(throttle);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A limit that stays would slow down replicas that catch up later. */
  private void lift(Throttle throttle) throws InterruptedException {
    throttle
        .lift()
        .forEach(
            (resource, why) ->
                complain(
                    "(leader|follower).replication.throttled.* of "
                        + resource.type().name().toLowerCase(Locale.ROOT)
                        + " "
                        + resource.name()
                        + " stay: "
                        + why.getCause()));
  }

  // ---- drained

  /**
   * Plans again until nothing is left there: meanwhile topics are created and deleted, and others
   * move what was to be moved. It fails when nothing was done and is to be done still.
   */
  private int drain(Admin admin, Survey survey) throws ExecutionException, InterruptedException {
    Optional<Plan> inVain = Optional.empty();
    for (int round = 0; round < ROUNDS; round++) {
      if (!mover(admin).settled()) {
        complain("what is being moved already does not get on");
        return 1;
      }
      Snapshot seen = look(survey);
      Plan plan = Planner.plan(seen, goals());
      if (plan.isEmpty() && plan.stuck().isEmpty()) {
        printer.total("drained: " + drain + " hold nothing", "drained", drain);
        return 0;
      }
      if (inVain.filter(plan::wantsTheSameAs).isPresent()) {
        complain("not drained, and nothing gets on: " + drain);
        return 1;
      }
      print(plan);
      Mover.Outcome outcome = carryOut(admin, plan);
      if (outcome.stalled()) {
        return 1;
      }
      inVain = outcome.done() == 0 ? Optional.of(plan) : Optional.empty();
    }
    complain("not drained after " + ROUNDS + " rounds: " + drain);
    return 1;
  }

  // ---- again and again

  private int again(Admin admin, Survey survey) throws ExecutionException, InterruptedException {
    Steady steady = new Steady(goals());
    Survey.Ends ends = survey.ends();
    while (true) {
      Thread.sleep(Duration.ofSeconds(intervalSeconds).toMillis());
      try {
        Survey.Look look = survey.since(ends);
        ends = look.ends();
        Plan plan = steady.next(look.snapshot());
        if (!plan.isEmpty()) {
          print(plan);
          Mover.Outcome unused = carryOut(admin, plan);
          ends = survey.ends();
        }
      } catch (ExecutionException e) {
        // The cluster is away or in trouble; it is looked at again.
        complain(String.valueOf(e.getCause()));
      }
    }
  }

  private Goals goals() {
    return Goals.startingAt(thresholdPercent / 100.0);
  }

  // ---- what is told

  private void print(Plan plan) {
    for (Plan.Share share : plan.shares()) {
      Map<Measure, Double> before = share.before();
      Map<Measure, Double> after = share.after();
      printer.row(
          "broker", share.broker().id(),
          "rack", share.broker().rack().isEmpty() ? null : share.broker().rack(),
          "state", state(share),
          "leaders", number(before, Measure.LEADERS),
          "leadersAfter", number(after, Measure.LEADERS),
          "replicas", number(before, Measure.REPLICAS),
          "replicasAfter", number(after, Measure.REPLICAS),
          "ledBytesPerSecond", number(before, Measure.LED_BYTES_PER_SECOND),
          "ledAfter", number(after, Measure.LED_BYTES_PER_SECOND),
          "bytesPerSecond", number(before, Measure.BYTES_PER_SECOND),
          "rateAfter", number(after, Measure.BYTES_PER_SECOND),
          "localBytes", number(before, Measure.LOCAL_BYTES),
          "localAfter", number(after, Measure.LOCAL_BYTES));
    }
    printer.flush();
    for (Step step : plan.steps()) {
      printer.row(
          "topic", step.partition().topic(),
          "partition", step.partition().partition(),
          "from", ids(step.from()),
          "to", ids(step.to()),
          "copyBytes", step.copyBytes(),
          "reason", step.reason().name().toLowerCase(Locale.ROOT),
          "why", step.why());
    }
    printer.flush();
    plan.stuck()
        .forEach(
            s ->
                printer.row(
                    "topic",
                    s.partition().topic(),
                    "partition",
                    s.partition().partition(),
                    "stuck",
                    s.why()));
    long leaders = plan.steps().size() - plan.moves();
    printer.total(
        plan.isEmpty()
            ? "nothing to do"
            : String.format(
                Locale.ROOT,
                "%d partitions move, %d leaders change, %,d bytes are copied",
                plan.moves(),
                leaders,
                plan.copyBytes()),
        "moves",
        plan.moves(),
        "leaderChanges",
        leaders,
        "copyBytes",
        plan.copyBytes());
  }

  private String state(Plan.Share share) {
    return share.broker().draining()
        ? leadersOff.isEmpty() ? "draining" : "leaders-off"
        : !share.broker().alive() ? "dead" : share.broker().cordoned() ? "cordoned" : "live";
  }

  private static long number(Map<Measure, Double> of, Measure measure) {
    return Math.round(of.getOrDefault(measure, 0.0));
  }

  private static String ids(List<Integer> ids) {
    return ids.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** A line for programs as it happens; for people a table in the end. */
  private void done(Step step, Duration took) {
    printer.row(
        "partition", step.partition().toString(), "to", ids(step.to()), "ms", took.toMillis());
  }

  private void complain(String what) {
    spec.commandLine().getErr().println("strandline: " + what);
    spec.commandLine().getErr().flush();
  }
}
