package io.strandline.broker.control.quorum;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.bootstrap.BootstrapMetadata;
import org.apache.kafka.metadata.properties.MetaProperties;
import org.apache.kafka.metadata.properties.MetaPropertiesEnsemble;
import org.apache.kafka.storage.internals.checkpoint.CleanShutdownFileHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands on this node's disks before anything runs: formatted at the first start, verified at
 * each.
 *
 * @param meta cluster id, node id and directory ids, the same in all directories
 * @param bootstrap the first records of the metadata log
 * @param directories log directories that work, by path, with their ids
 * @param previousEpoch the broker epoch written by a clean shutdown; empty when the last run did
 *     not end cleanly in every directory
 */
public record Storage(
    MetaPropertiesEnsemble meta,
    BootstrapMetadata bootstrap,
    Map<Path, Uuid> directories,
    OptionalLong previousEpoch) {

  private static final Logger LOG = LoggerFactory.getLogger(Storage.class);

  /**
   * Formats what is not formatted yet, when this node is a quorum of its own, and loads the rest.
   *
   * @param broken log directories that could not be opened: the controller is not told of them, as
   *     by Apache Kafka, and takes what lies there for offline
   * @param ids where ids of clusters and directories come from
   * @throws ControlException when directories contradict each other or the configuration, or a node
   *     of a larger quorum was never formatted
   */
  static Storage prepare(
      ControlConfig config, KafkaConfig kafka, Set<Path> broken, Supplier<Uuid> ids) {
    try {
      format(config, kafka, ids);
      var loaded = KafkaRaftServer.initializeLogDirs(kafka, LOG, "");
      Map<Path, Uuid> directories = new LinkedHashMap<>();
      for (String dir : kafka.logDirs()) {
        MetaProperties properties = loaded._1().logDirProps().get(dir);
        if (properties != null && !broken.contains(Path.of(dir))) {
          directories.put(Path.of(dir), properties.directoryId().orElseThrow());
        }
      }
      OptionalLong previous =
          broken.isEmpty() ? previousEpoch(kafka.logDirs()) : OptionalLong.empty();
      return new Storage(loaded._1(), loaded._2(), Map.copyOf(directories), previous);
    } catch (IOException e) {
      throw new ControlException("the data directories can not be used: " + e.getMessage(), e);
    } catch (ControlException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ControlException("the data directories do not fit: " + e.getMessage(), e);
    }
  }

  /** The id of the cluster. */
  public String clusterId() {
    return meta.clusterId().orElseThrow();
  }

  /** The path of a log directory by its id. */
  public Path pathOf(Uuid directory) {
    return directories.entrySet().stream()
        .filter(entry -> entry.getValue().equals(directory))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(Path.of("unknown"));
  }

  private static void format(ControlConfig config, KafkaConfig kafka, Supplier<Uuid> ids)
      throws IOException {
    Set<String> all = NodeFormat.directories(kafka);
    Set<String> empty = NodeFormat.unformatted(all);
    if (empty.isEmpty()) {
      return;
    }
    boolean forgotten =
        config.controllerListener().isPresent() && empty.contains(kafka.metadataLogDir());
    if (!config.alone() && (empty.size() == all.size() || forgotten)) {
      throw new ControlException(
          "the directories "
              + empty
              + " are not formatted, and a node of a larger cluster is not formatted by itself: run"
              + " strandline format with the cluster's id"
              + (forgotten && empty.size() < all.size()
                  ? ", or strandline tier restore cluster if no other controller has the metadata"
                  : ""));
    }
    for (String directory : empty) {
      if (!made(directory)) {
        if (directory.equals(kafka.metadataLogDir())) {
          throw new IOException(directory + " can not be made");
        }
        all.remove(directory);
      }
    }
    empty.retainAll(all);
    if (empty.isEmpty()) {
      return;
    }
    String cluster = NodeFormat.alone(config, kafka, all, ids);
    LOG.atInfo()
        .addKeyValue("path", empty)
        .addKeyValue("node", kafka.nodeId())
        .addKeyValue("value", cluster)
        .log("formatted data directories");
  }

  /** A disk that fails costs its own directory, not the node. */
  private static boolean made(String directory) {
    try {
      Files.createDirectories(Path.of(directory));
      return true;
    } catch (IOException failed) {
      LOG.atError().addKeyValue("path", directory).setCause(failed).log("can not be made");
      return false;
    }
  }

  /**
   * Kafka's rule: every directory works and has the file of a clean shutdown, and all name one
   * epoch.
   */
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
