package io.strandline.tools.doctor;

import io.strandline.tiering.store.open.StoreRuntime;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/** All checks of a node and of its cluster, one after the other. */
public final class Checkup {
  private static final String TIME_OUT_MS = "10000";

  /** So that there is time to ask another than one that stands still. */
  private static final String REQUEST_TIME_OUT_MS = "5000";

  private final Path root;
  private final InstantSource clock = InstantSource.system();
  private final SecureRandom random = new SecureRandom();

  /**
   * @param root of the file system that tells of the machine: {@code /}
   */
  public Checkup(Path root) {
    this.root = root;
  }

  /**
   * A node on this machine: its disk, limits, memory, store and, where it runs, its health.
   *
   * @param admins {@code host:port} of nodes' admin listeners; empty for this node's own, if it
   *     runs
   */
  public List<Finding> node(NodeConfig config, List<String> admins) {
    Map<String, Check> checks = new LinkedHashMap<>();
    checks.put("disk", new DiskCheck(config, System::nanoTime, random));
    checks.put("limits", new LimitsCheck(config, root));
    checks.put("memory", new MemoryCheck(config, root));
    if (config.tiers()) {
      checks.put(
          "bucket", new StoreCheck(config, new StoreRuntime.Time(clock, System::nanoTime), random));
    }
    List<String> asked = new ArrayList<>(admins);
    if (asked.isEmpty() && RunningNode.find(root, config.logDirectories()).isPresent()) {
      config.adminListener().ifPresent(asked::add);
    }
    if (!asked.isEmpty()) {
      checks.put("health", new AdminCheck(asked, clock));
    }
    return run(checks);
  }

  /** What nodes say of themselves, wherever they are. */
  public List<Finding> nodes(List<String> admins) {
    return admins.isEmpty() ? List.of() : run(Map.of("health", new AdminCheck(admins, clock)));
  }

  /**
   * A cluster: its quorum, partitions and versions.
   *
   * @param client properties of a Kafka client
   */
  public List<Finding> cluster(Properties client) {
    Properties patient = new Properties();
    patient.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, TIME_OUT_MS);
    patient.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, REQUEST_TIME_OUT_MS);
    patient.putAll(client);
    Object bootstrap = client.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG);
    try (Admin admin = Admin.create(patient)) {
      String id = admin.describeCluster().clusterId().get();
      List<Finding> findings = new ArrayList<>();
      findings.add(Finding.ok("cluster", bootstrap + " answers: cluster " + id));
      Map<String, Check> checks = new LinkedHashMap<>();
      checks.put("quorum", new QuorumCheck(admin, clock));
      checks.put("partitions", new PartitionsCheck(admin));
      checks.put("topics", () -> PartitionsCheck.origins(admin));
      checks.put("log directories", new DirectoriesCheck(admin));
      checks.put("versions", new VersionsCheck(admin));
      findings.addAll(run(checks));
      return findings;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException | KafkaException e) {
      return List.of(
          Finding.fail(
              "cluster",
              bootstrap + " does not answer: " + reason(e),
              "Does the broker run, is this a listener for clients, and does --client-config fit its"
                  + " security?"));
    }
  }

  private static List<Finding> run(Map<String, Check> checks) {
    List<Finding> findings = new ArrayList<>();
    checks.forEach(
        (name, check) -> {
          try {
            findings.addAll(check.run());
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
          } catch (Exception e) {
            findings.add(
                Finding.fail(
                    name,
                    "could not be looked at: " + reason(e),
                    "Is there a right to look lacking (files: run it as the node's user; cluster:"
                        + " DESCRIBE on the cluster and topics)?"));
          }
        });
    return findings;
  }

  /** What went wrong, in a line for a person. */
  static String reason(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof ExecutionException
            || cause instanceof CompletionException
            || cause.getClass() == KafkaException.class)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return Optional.ofNullable(cause.getMessage()).orElse(cause.getClass().getSimpleName());
  }
}
