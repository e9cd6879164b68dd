package io.strandline.broker.local;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.control.quorum.NodeFormat.Levels;
import io.strandline.broker.control.quorum.NodeFormat.Order;
import io.strandline.broker.control.quorum.NodeFormat.Voters;
import io.strandline.broker.local.ClusterPlan.PlannedNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;

/**
 * The command {@code strandline cluster}: several nodes on this machine, started together and
 * stopped in order, brokers before controllers. Data stays where it was asked for, else it goes.
 */
public final class LocalCluster implements AutoCloseable {
  /** Of the command line. */
  public static final String NAME = "cluster";

  private static final long READY_MS = 120_000;

  /** A node's handover may take 5 minutes, and its logs are closed after it. */
  private static final long STOP_MS = 390_000;

  private final ClusterOptions options;
  private final String main;
  private final Supplier<Uuid> ids;
  private final PrintStream out;
  private final List<NodeProcess> brokers = new ArrayList<>();
  private final List<NodeProcess> controllers = new ArrayList<>();
  private Optional<Path> scratch = Optional.empty();
  private boolean closed;

  /**
   * @param main the class that a server's process begins with
   * @param ids where ids of clusters and directories come from
   * @param out where the addresses are told
   */
  public LocalCluster(ClusterOptions options, String main, Supplier<Uuid> ids, PrintStream out) {
    this.options = options;
    this.main = main;
    this.ids = ids;
    this.out = out;
  }

  /**
   * Formats what is not formatted, starts all nodes and returns when all serve.
   *
   * @throws IOException with what an operator has to know
   */
  public void start() throws IOException, InterruptedException {
    ClusterPlan plan = plan();
    for (PlannedNode node : plan.controllers()) {
      launch(plan, node, plan.controller(node), controllers);
    }
    for (PlannedNode node : plan.brokers()) {
      launch(plan, node, plan.broker(node), brokers);
    }
    for (NodeProcess node : all()) {
      node.awaitReady(READY_MS);
    }
    tell(plan);
  }

  private synchronized ClusterPlan plan() throws IOException {
    if (options.directory().isEmpty() && !closed) {
      scratch = Optional.of(Files.createTempDirectory("strandline-cluster-"));
    }
    Path directory = options.directory().or(() -> scratch).orElseThrow();
    return ClusterPlan.of(directory, options.size(), options.port(), ids);
  }

  private void launch(
      ClusterPlan plan, PlannedNode node, Map<String, String> settings, List<NodeProcess> into)
      throws IOException {
    settings.putAll(options.settings());
    Map<String, String> kafka =
        settings.entrySet().stream()
            .filter(setting -> !setting.getKey().startsWith("strandline."))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    Voters voters =
        node.metadata().isEmpty() ? new Voters.Configured() : new Voters.Initial(plan.voters());
    Levels levels = new Levels(Optional.empty(), Map.of());
    NodeFormat.format(
        new ControlConfig(kafka),
        new Order(plan.clusterId(), voters, levels, List.of(), true),
        ids);
    synchronized (this) {
      if (!closed) {
        into.add(NodeProcess.start(node.id(), plan.directoryOf(node), main, settings));
      }
    }
  }

  private synchronized List<NodeProcess> all() {
    return Stream.concat(controllers.stream(), brokers.stream()).toList();
  }

  private void tell(ClusterPlan plan) {
    for (PlannedNode node : plan.brokers()) {
      out.println(
          "broker "
              + node.id()
              + " at "
              + node.address()
              + ", metrics and health at http://127.0.0.1:"
              + node.adminPort()
              + ", log "
              + plan.directoryOf(node).resolve("node.log"));
    }
    for (PlannedNode node : plan.controllers()) {
      out.println(
          "controller "
              + node.id()
              + " at "
              + node.address()
              + ", log "
              + plan.directoryOf(node).resolve("node.log"));
    }
    out.println("data in " + plan.directory() + (scratch.isPresent() ? ", until it stops" : ""));
    out.println("bootstrap.servers=" + plan.bootstrap());
    out.println("Ctrl-C stops the cluster.");
    out.flush();
  }

  /**
   * Says when a node ends by itself; returns when none is left.
   *
   * @return whether they ended by themselves, and were not stopped
   */
  public boolean awaitEnd() {
    List<CompletableFuture<?>> ends = new ArrayList<>();
    for (NodeProcess node : all()) {
      ends.add(
          node.process()
              .onExit()
              .thenAccept(
                  ended -> {
                    if (!closing()) {
                      out.println("node " + node.id() + " ended with " + ended.exitValue());
                      out.flush();
                    }
                  }));
    }
    CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).join();
    return !closing();
  }

  private synchronized boolean closing() {
    return closed;
  }

  /** Stops the brokers, then the controllers; deletes the data if nobody wanted it. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    try {
      stop(brokers);
      stop(controllers);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    scratch.ifPresent(LocalCluster::delete);
  }

  /** For who asked for the stop and does not want to wait: nodes asked again wait for nobody. */
  public void hurry() {
    all().forEach(NodeProcess::stop);
  }

  private static void stop(List<NodeProcess> nodes) throws InterruptedException {
    nodes.forEach(NodeProcess::stop);
    for (NodeProcess node : nodes) {
      node.awaitEnd(STOP_MS);
    }
  }

  private static void delete(Path root) {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      // It lies where the system keeps what may go at any time.
      root.toFile().deleteOnExit();
    }
  }
}
