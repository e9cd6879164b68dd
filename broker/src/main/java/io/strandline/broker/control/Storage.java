package io.strandline.broker.control;

import io.strandline.broker.control.snapshot.RestoredCluster;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaProperties;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.raft.DynamicVoters;
import org.apache.kafka.server.common.Feature;
import org.apache.kafka.storage.internals.checkpoint.CleanShutdownFileHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands on this node's disks before anything runs: formatted at the first start, verified at
 * each.
 *
 * @param meta cluster id, node id and directory ids, the same in all directories
 * @param bootstrap the first records of the metadata log
 * @param directories log directories by path, with their ids
 * @param previousEpoch the broker epoch written by a clean shutdown; empty when the last run did
 *     not end cleanly in every directory
 */
record Storage(
    MetaPropertiesEnsemble meta,
    BootstrapMetadata bootstrap,
    Map<Path, Uuid> directories,
    OptionalLong previousEpoch) {

  private static final Logger LOG = LoggerFactory.getLogger(Storage.class);

  /**
   * Formats what is not formatted yet, when this node is a quorum of its own, and loads the rest.
   *
   * @param ids where ids of clusters and directories come from
   * @throws ControlException when directories contradict each other or the configuration, or a node
   *     of a larger quorum was never formatted
   */
  static Storage prepare(ControlConfig config, KafkaConfig kafka, Supplier<Uuid> ids) {
    try {
      Set<String> all = new LinkedHashSet<>();
      all.add(kafka.metadataLogDir());
      all.addAll(kafka.logDirs());
      format(config, kafka, all, ids);
      var loaded = KafkaRaftServer.initializeLogDirs(kafka, LOG, "");
      Map<Path, Uuid> directories = new LinkedHashMap<>();
      for (String dir : kafka.logDirs()) {
        MetaProperties properties = loaded._1().logDirProps().get(dir);
        if (properties != null) {
          directories.put(Path.of(dir), properties.directoryId().orElseThrow());
        }
      }
      OptionalLong previous = previousEpoch(kafka.logDirs());
      return new Storage(loaded._1(), loaded._2(), Map.copyOf(directories), previous);
    } catch (IOException e) {
      throw new ControlException("the data directories can not be used: " + e.getMessage(), e);
    } catch (ControlException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ControlException("the data directories do not fit: " + e.getMessage(), e);
    }
  }

  /** The path of a log directory by its id. */
  Path pathOf(Uuid directory) {
    return directories.entrySet().stream()
        .filter(entry -> entry.getValue().equals(directory))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(Path.of("unknown"));
  }

  private static void format(
      ControlConfig config, KafkaConfig kafka, Set<String> directories, Supplier<Uuid> ids)
      throws IOException {
    List<String> empty = new ArrayList<>();
    for (String directory : directories) {
      Files.createDirectories(Path.of(directory));
      if (!Files.exists(Path.of(directory, MetaPropertiesEnsemble.META_PROPERTIES_NAME))) {
        empty.add(directory);
      }
    }
    if (empty.isEmpty()) {
      return;
    }
    if (!config.alone() && empty.size() == directories.size()) {
      throw new ControlException(
          "the directories "
              + empty
              + " are not formatted, and a node of a larger quorum is not formatted by itself: run kafka-storage format with the cluster's id");
    }
    Uuid voter = ids.get();
    boolean votes = config.alone() && empty.contains(kafka.metadataLogDir());
    Formatter formatter =
        formatter(config, kafka, directories, votes ? Optional.of(voter) : Optional.empty());
    formatter.setClusterId(clusterId(directories, ids));
    run(formatter);
    LOG.atInfo()
        .addKeyValue("path", empty)
        .addKeyValue("node", kafka.nodeId())
        .addKeyValue("value", formatter.clusterId())
        .log("formatted the data directories for a new cluster");
  }

  /**
   * Formats directories that were never formatted for a quorum of this node alone, which begins
   * with the metadata of a cluster that is lost.
   *
   * @throws ControlException when a directory is formatted already, or holds a metadata log
   */
  static void restore(
      ControlConfig config, KafkaConfig kafka, RestoredCluster cluster, Supplier<Uuid> ids) {
    Set<String> all = requireNew(kafka);
    Uuid voter = ids.get();
    try {
      for (String directory : all) {
        Files.createDirectories(Path.of(directory));
      }
      boolean stored = !kafka.originals().containsKey(ControlConfig.VOTERS);
      cluster.write(
          Path.of(kafka.metadataLogDir()),
          stored
              ? Optional.of(voters(config, kafka, voter).toVoterSet(controllerListener(kafka)))
              : Optional.empty(),
          Time.SYSTEM.milliseconds());
    } catch (IOException e) {
      throw new ControlException("the data directories can not be used: " + e.getMessage(), e);
    }
    Formatter formatter = formatter(config, kafka, all, Optional.of(voter));
    formatter.setClusterId(cluster.clusterId());
    run(formatter);
  }

  /**
   * All directories.
   *
   * @throws ControlException when one of them was used before
   */
  static Set<String> requireNew(KafkaConfig kafka) {
    Set<String> all = new LinkedHashSet<>();
    all.add(kafka.metadataLogDir());
    all.addAll(kafka.logDirs());
    all.forEach(directory -> refuseUsed(Path.of(directory)));
    return all;
  }

  private static void refuseUsed(Path directory) {
    for (String name :
        List.of(MetaPropertiesEnsemble.META_PROPERTIES_NAME, "__cluster_metadata-0")) {
      if (Files.exists(directory.resolve(name))) {
        throw new ControlException(
            directory + " has a " + name + " already: a cluster is restored into new directories");
      }
    }
  }

  private static String controllerListener(KafkaConfig kafka) {
    return kafka.controllerListenerNames().get(0);
  }

  private static DynamicVoters voters(ControlConfig config, KafkaConfig kafka, Uuid directory) {
    var controller = config.controllerListener();
    if (controller == null) {
      throw new ControlException("process.roles names no controller");
    }
    return DynamicVoters.parse(
        kafka.nodeId() + "@" + controller.getHost() + ":" + controller.getPort() + ":" + directory);
  }

  /**
   * @param voter id of the metadata directory, if this node is the quorum's one voter
   */
  private static Formatter formatter(
      ControlConfig config, KafkaConfig kafka, Set<String> directories, Optional<Uuid> voter) {
    Formatter formatter = new Formatter();
    formatter.setPrintStream(
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    formatter.setSupportedFeatures(Feature.PRODUCTION_FEATURES);
    formatter.setNodeId(kafka.nodeId());
    formatter.setDirectories(directories);
    formatter.setMetadataLogDirectory(kafka.metadataLogDir());
    formatter.setControllerListenerName(controllerListener(kafka));
    formatter.setIgnoreFormatted(true);
    formatter.setHasDynamicQuorum(!kafka.originals().containsKey(ControlConfig.VOTERS));
    if (voter.isPresent() && config.controllerListener() != null) {
      formatter.setInitialControllers(voters(config, kafka, voter.get()));
    }
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

  /** Kafka's rule: every directory has the file of a clean shutdown, and all name one epoch. */
  private static OptionalLong previousEpoch(List<String> directories) {
    OptionalLong common = OptionalLong.empty();
    for (String directory : directories) {
      OptionalLong epoch = new CleanShutdownFileHandler(directory).read();
      if (epoch.isEmpty() || (common.isPresent() && common.getAsLong() != epoch.getAsLong())) {
        return OptionalLong.empty();
      }
      common = epoch;
    }
    return common;
  }
}
