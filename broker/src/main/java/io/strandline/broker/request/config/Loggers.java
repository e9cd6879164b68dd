package io.strandline.broker.request.config;

import io.strandline.broker.observe.LoggerLevels;
import io.strandline.broker.request.config.ChangeScreen.Operation;
import java.util.List;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.LogLevelConfig;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The loggers of this node as a resource whose keys are their names (KIP-412). */
final class Loggers {
  private static final Logger LOG = LoggerFactory.getLogger(Loggers.class);

  private final int nodeId;
  private final LoggerLevels levels = new LoggerLevels();

  Loggers(int nodeId) {
    this.nodeId = nodeId;
  }

  /**
   * Checks that a resource is this node.
   *
   * @throws InvalidRequestException when it is not
   */
  void requireThisNode(String name) {
    if (!name.equals(String.valueOf(nodeId))) {
      throw new InvalidRequestException(
          "Unexpected broker id, expected " + nodeId + ", but received " + name);
    }
  }

  /** The level of each, all of them or those asked for: no list and an empty one ask for all. */
  DescribeConfigsResult describe(DescribeConfigsResource asked) {
    requireThisNode(asked.resourceName());
    DescribeConfigsResult result =
        new DescribeConfigsResult()
            .setResourceName(asked.resourceName())
            .setResourceType(asked.resourceType())
            .setErrorCode(Errors.NONE.code());
    List<String> keys = asked.configurationKeys();
    levels
        .all()
        .forEach(
            (name, level) -> {
              if (keys == null || keys.isEmpty() || keys.contains(name)) {
                result
                    .configs()
                    .add(
                        new DescribeConfigsResourceResult()
                            .setName(name)
                            .setValue(level)
                            .setConfigSource(ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG.id()));
              }
            });
    return result;
  }

  /**
   * Judges a change.
   *
   * @throws InvalidConfigurationException without such a logger or level
   * @throws InvalidRequestException when the operation does not suit loggers
   */
  void require(Operation operation) {
    String name = operation.key();
    OpType wanted = operation.known().opType();
    if (wanted != OpType.SET && wanted != OpType.DELETE) {
      throw new InvalidRequestException(wanted + " operation is not allowed for loggers");
    }
    if (!levels.exists(name)) {
      throw new InvalidConfigurationException("Logger " + name + " does not exist!");
    }
    if (wanted == OpType.DELETE && name.equals(LoggerLevels.ROOT)) {
      throw new InvalidRequestException("Removing the log level of the root logger is not allowed");
    }
    if (wanted == OpType.SET && !LogLevelConfig.VALID_LOG_LEVELS.contains(operation.value())) {
      throw new InvalidConfigurationException(
          "Cannot set the log level of "
              + name
              + " to "
              + operation.value()
              + ": it is none of "
              + new TreeSet<>(LogLevelConfig.VALID_LOG_LEVELS));
    }
  }

  /** Carries out what was judged. */
  void apply(Operation operation) {
    String level = operation.value();
    if (operation.code() == OpType.DELETE.id() || level == null) {
      levels.unset(operation.key());
    } else {
      levels.set(operation.key(), level);
    }
    LOG.atWarn()
        .addKeyValue("reason", operation.key() + ": " + (level == null ? "inherited" : level))
        .log("a log level was changed");
  }
}
