package io.strandline.broker.control.quorum;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import io.strandline.broker.control.snapshot.RestoredCluster;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.raft.DynamicVoters;
import org.apache.kafka.server.ProcessRole;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * Makes directories those of a node of a cluster: {@code meta.properties} in each, the first
 * records of the metadata, and the voters of a dynamic quorum (KIP-853).
 */
public final class NodeFormat {
  /** {@code TOPIC-PARTITION}, with what Kafka adds to one that moves or is deleted. */
  private static final Pattern LOG = Pattern.compile(".+-[0-9]+(\\..+)?");

  private NodeFormat() {}

  /** Who votes in the metadata quorum at its beginning. */
  public sealed interface Voters {
    /** This node alone. */
    record Standalone() implements Voters {}

    /**
     * These, all formatted with the same text.
     *
     * @param text {@code id@host:port:directory}, with commas
     */
    record Initial(String text) implements Voters {}

    /** The quorum is there already, or others begin it. */
    record Elsewhere() implements Voters {}

    /** What the configuration says: {@code controller.quorum.voters}, or a node that is alone. */
    record Configured() implements Voters {}
  }

  /**
   * Levels to begin with.
   *
   * @param release whose levels are taken where nothing else is said; the newest if empty
   * @param features level by name
   */
  public record Levels(Optional<String> release, Map<String, Short> features) {}

  /**
   * What to make of the directories.
   *
   * @param scram credentials as Kafka's tool takes them: {@code SCRAM-SHA-256=[name=…,password=…]}
   * @param ignoreFormatted directories that were formatted before are left as they are
   */
  public record Order(
      String clusterId,
      Voters voters,
      Levels levels,
      List<String> scram,
      boolean ignoreFormatted) {}

  /**
   * What was done.
   *
   * @param formatted now
   * @param untouched formatted before
   */
  public record Done(int node, Set<String> formatted, Set<String> untouched) {}

  /**
   * Formats the directories of a node that does not run.
   *
   * @param ids where ids of directories come from
   * @throws ControlException when the order contradicts itself, the configuration or what is there
   */
  public static Done format(ControlConfig wanted, Order order, Supplier<Uuid> ids) {
    try (PortHolder port = PortHolder.of(wanted)) {
      ControlConfig config = port.config();
      KafkaConfig kafka = config.parse();
      Set<String> all = directories(kafka);
      Set<String> empty = unformatted(all);
      Formatter formatter = formatter(kafka, all);
      formatter.setClusterId(order.clusterId());
      formatter.setIgnoreFormatted(order.ignoreFormatted());
      formatter.setScramArguments(order.scram());
      formatter.setUnstableFeatureVersionsEnabled(kafka.unstableFeatureVersionsEnabled());
      order.levels().features().forEach(formatter::setFeatureLevel);
      order
          .levels()
          .release()
          .ifPresent(
              text ->
                  formatter.setReleaseVersion(
                      MetadataVersion.fromVersionString(
                          text, kafka.unstableFeatureVersionsEnabled())));
      Optional<DynamicVoters> begins = voters(config, kafka, order.voters(), ids);
      if (begins.isPresent()) {
        requireMetadata(kafka, all);
        formatter.setInitialControllers(begins.get());
      }
      run(formatter);
      Set<String> before = new TreeSet<>(all);
      before.removeAll(empty);
      return new Done(kafka.nodeId(), empty, before);
    } catch (IllegalArgumentException e) {
      throw new ControlException(String.valueOf(e.getMessage()), e);
    }
  }

  private static Optional<DynamicVoters> voters(
      ControlConfig config, KafkaConfig kafka, Voters voters, Supplier<Uuid> ids) {
    boolean fixed = kafka.originals().containsKey(ControlConfig.VOTERS);
    boolean controller = kafka.processRoles().contains(ProcessRole.ControllerRole);
    if (voters instanceof Voters.Configured) {
      if (controller && !fixed && !config.alone()) {
        throw new ControlException(
            "node "
                + kafka.nodeId()
                + " is a controller, and who votes is not said: --standalone for this node alone,"
                + " --initial-controllers ID@HOST:PORT:DIRECTORY,… the same for all nodes, or"
                + " --no-initial-controllers for one that joins a quorum later");
      }
      return config.alone() ? Optional.of(self(config, kafka, ids.get())) : Optional.empty();
    }
    if (fixed && !(voters instanceof Voters.Elsewhere)) {
      throw new ControlException(
          ControlConfig.VOTERS
              + " names the voters already: take --standalone or --initial-controllers away, or set "
              + ControlConfig.BOOTSTRAP
              + " in its place for a quorum that can be changed (KIP-853)");
    }
    if (voters instanceof Voters.Initial initial) {
      return Optional.of(parse(initial.text()));
    }
    if (voters instanceof Voters.Standalone) {
      if (!controller) {
        throw new ControlException(
            "--standalone is for a controller, and process.roles says that node "
                + kafka.nodeId()
                + " is none");
      }
      return Optional.of(self(config, kafka, ids.get()));
    }
    return Optional.empty();
  }

  private static DynamicVoters parse(String text) {
    try {
      return DynamicVoters.parse(text);
    } catch (IllegalArgumentException e) {
      throw new ControlException(
          "--initial-controllers wants ID@HOST:PORT:DIRECTORY,…, not "
              + text
              + ": "
              + e.getMessage(),
          e);
    }
  }

  /**
   * Formats directories of a node that is alone, as a new cluster.
   *
   * @param all of them that work; those that are formatted stay as they are
   * @return the cluster's id
   * @throws ControlException when the directory of the metadata is new beside logs
   */
  static String alone(ControlConfig config, KafkaConfig kafka, Set<String> all, Supplier<Uuid> ids)
      throws IOException {
    Formatter formatter = formatter(kafka, all);
    formatter.setIgnoreFormatted(true);
    if (config.alone() && unformatted(all).contains(kafka.metadataLogDir())) {
      requireMetadata(kafka, all);
      formatter.setInitialControllers(self(config, kafka, ids.get()));
    }
    formatter.setClusterId(clusterId(all, ids));
    run(formatter);
    return formatter.clusterId();
  }

  /**
   * A quorum does not begin anew beside logs of the cluster that had it before, as in Kafka: it
   * knows none of their topics, and the first that is created under the name of one takes the old
   * log for that of a deleted topic and deletes it, with its history in the object store.
   *
   * <p>Directories that are formatted and hold no log are no reason: a first start, or a format,
   * may have been cut before it came to that of the metadata. Nor is a node that is no controller:
   * it has the metadata from others.
   */
  private static void requireMetadata(KafkaConfig kafka, Set<String> all) {
    Set<String> empty = unformatted(all);
    if (!kafka.processRoles().contains(ProcessRole.ControllerRole)
        || !empty.contains(kafka.metadataLogDir())) {
      return;
    }
    Set<String> others = new TreeSet<>(all);
    others.removeAll(empty);
    others.removeIf(directory -> !holdsLogs(Path.of(directory)));
    if (!others.isEmpty()) {
      throw new ControlException(
          kafka.metadataLogDir()
              + ", the directory of the metadata, is empty or not mounted, and "
              + others
              + " hold logs of a cluster: without its metadata they are nobody's. Bring the"
              + " directory back; if it is lost, put the others aside and run strandline tier"
              + " restore cluster into new directories");
    }
  }

  /** Of partitions that are there, are moved here, or are to be deleted; of the metadata too. */
  private static boolean holdsLogs(Path directory) {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.anyMatch(
          entry ->
              LOG.matcher(entry.getFileName().toString()).matches() && Files.isDirectory(entry));
    } catch (IOException | UncheckedIOException unreadable) {
      return true; // it is formatted, and nobody can say that it holds none
    }
  }

  /**
   * Formats directories that were never formatted for a quorum of this node alone, which begins
   * with the metadata of a cluster that is lost. Nothing else may run on the directories.
   *
   * @throws ControlException when a directory is formatted already, or holds a metadata log, or the
   *     configuration does not allow it
   */
  public static void restore(ControlConfig wanted, RestoredCluster cluster, Supplier<Uuid> ids) {
    requireController(wanted);
    try (PortHolder port = PortHolder.of(wanted)) {
      ControlConfig config = port.config();
      KafkaConfig kafka = config.parse();
      Set<String> all = requireUnused(kafka);
      DynamicVoters self = self(config, kafka, ids.get());
      for (String directory : all) {
        Files.createDirectories(Path.of(directory));
      }
      boolean stored = !kafka.originals().containsKey(ControlConfig.VOTERS);
      cluster.write(
          Path.of(kafka.metadataLogDir()),
          stored
              ? Optional.of(self.toVoterSet(kafka.controllerListenerNames().get(0)))
              : Optional.empty(),
          Time.SYSTEM.milliseconds());
      Formatter formatter = formatter(kafka, all);
      formatter.setIgnoreFormatted(true);
      formatter.setInitialControllers(self);
      formatter.setClusterId(cluster.clusterId());
      run(formatter);
    } catch (IOException e) {
      throw new ControlException("the data directories can not be used: " + e.getMessage(), e);
    }
  }

  /**
   * Looks whether {@link #restore} may format the directories; changes nothing.
   *
   * @return the node's id
   * @throws ControlException unless it may
   */
  public static int requireNew(ControlConfig config) {
    requireController(config);
    KafkaConfig kafka = config.withControllerPort(1).parse();
    requireUnused(kafka);
    return kafka.nodeId();
  }

  private static void requireController(ControlConfig config) {
    if (config.controllerListener().isEmpty()) {
      throw new ControlException(
          "a restored cluster begins with a node that is a controller: process.roles must name it");
    }
  }

  private static Set<String> requireUnused(KafkaConfig kafka) {
    Set<String> all = directories(kafka);
    for (String directory : all) {
      for (String name :
          List.of(MetaPropertiesEnsemble.META_PROPERTIES_NAME, "__cluster_metadata-0")) {
        if (Files.exists(Path.of(directory, name))) {
          throw new ControlException(
              directory
                  + " has a "
                  + name
                  + " already: a cluster is restored into new directories");
        }
      }
    }
    return all;
  }

  /** That of the metadata first, then those of the logs. */
  static Set<String> directories(KafkaConfig kafka) {
    Set<String> all = new LinkedHashSet<>();
    all.add(kafka.metadataLogDir());
    all.addAll(kafka.logDirs());
    return all;
  }

  /** Those that have no {@code meta.properties}. */
  static Set<String> unformatted(Set<String> directories) {
    Set<String> empty = new TreeSet<>();
    for (String directory : directories) {
      if (!Files.exists(Path.of(directory, MetaPropertiesEnsemble.META_PROPERTIES_NAME))) {
        empty.add(directory);
      }
    }
    return empty;
  }

  private static DynamicVoters self(ControlConfig config, KafkaConfig kafka, Uuid directory) {
    ListenerAddress listener =
        config
            .controllerListener()
            .orElseThrow(() -> new ControlException("listeners has none for the controller"));
    return DynamicVoters.parse(kafka.nodeId() + "@" + listener.local() + ":" + directory);
  }

  private static Formatter formatter(KafkaConfig kafka, Set<String> directories) {
    Formatter formatter = new Formatter();
    formatter.setPrintStream(
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    formatter.setSupportedFeatures(Feature.PRODUCTION_FEATURES);
    formatter.setNodeId(kafka.nodeId());
    formatter.setDirectories(directories);
    formatter.setMetadataLogDirectory(kafka.metadataLogDir());
    formatter.setControllerListenerName(kafka.controllerListenerNames().get(0));
    formatter.setHasDynamicQuorum(!kafka.originals().containsKey(ControlConfig.VOTERS));
    return formatter;
  }

  private static void run(Formatter formatter) {
    try {
      formatter.run();
    } catch (Exception e) {
      throw new ControlException("formatting failed: " + e.getMessage(), e);
    }
  }

  /** The id that formatted directories have already, else a new one. */
  private static String clusterId(Set<String> directories, Supplier<Uuid> ids) throws IOException {
    MetaPropertiesEnsemble.Loader loader = new MetaPropertiesEnsemble.Loader();
    loader.addLogDirs(directories);
    return loader.load().clusterId().orElseGet(() -> ids.get().toString());
  }

  /** Keeps a port that the kernel chose until it is written down. */
  private record PortHolder(ControlConfig config, Optional<ControllerSocket> socket)
      implements AutoCloseable {
    static PortHolder of(ControlConfig wanted) {
      boolean open = wanted.controllerListener().map(one -> one.port() == 0).orElse(false);
      if (!open) {
        return new PortHolder(wanted, Optional.empty());
      }
      ControllerSocket socket = Objects.requireNonNull(ControllerSocket.bind(wanted));
      return new PortHolder(wanted.withControllerPort(socket.port()), Optional.of(socket));
    }

    @Override
    public void close() {
      socket.ifPresent(ControllerSocket::close);
    }
  }
}
