package io.strandline.broker.request.config;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.RequestContext;
import org.jspecify.annotations.Nullable;

/**
 * What this broker says of a change before the controller is asked: whether it can take values of
 * its own, and all there is to say of its loggers, which the controller never hears of (KIP-412).
 */
final class ChangeScreen {
  private final ControlPlane control;
  private final Guard guard;
  private final Loggers loggers;

  ChangeScreen(ControlPlane control, Guard guard, Loggers loggers) {
    this.control = control;
    this.guard = guard;
    this.loggers = loggers;
  }

  /**
   * A wanted change of one resource.
   *
   * @param type as sent, known or not
   * @param operations one for each key; of the legacy request all of them SET
   * @param whole whether all that is not named goes, as by the legacy request
   */
  record Change(byte type, String name, List<Operation> operations, boolean whole) {
    ConfigResource resource() {
      return new ConfigResource(ConfigResource.Type.forId(type), name);
    }
  }

  /**
   * One key's change as it was sent.
   *
   * @param code of {@link OpType}, known or not
   */
  record Operation(byte code, String key, @Nullable String value) {
    /**
     * Kafka's form of it.
     *
     * @throws InvalidRequestException when nobody knows such an operation
     */
    AlterConfigOp known() {
      OpType type = OpType.forId(code);
      if (type == null) {
        throw new InvalidRequestException("Unknown operations type " + code);
      }
      return new AlterConfigOp(new ConfigEntry(key, value), type);
    }
  }

  /**
   * Judges changes.
   *
   * @return in their order the answer to each, empty where the controller has to give it
   */
  List<Optional<ApiError>> screen(RequestContext who, List<Change> changes, boolean validateOnly) {
    Map<ConfigResource, Integer> named = new HashMap<>();
    for (Change change : changes) {
      named.merge(change.resource(), 1, Integer::sum);
    }
    List<Optional<ApiError>> answers = new ArrayList<>();
    for (Change change : changes) {
      answers.add(
          named.getOrDefault(change.resource(), 0) > 1
              ? Optional.of(
                  new ApiError(Errors.INVALID_REQUEST, "Each resource must appear at most once."))
              : answer(who, change, validateOnly));
    }
    return answers;
  }

  private Optional<ApiError> answer(RequestContext who, Change change, boolean validateOnly) {
    try {
      requireSound(change);
      switch (ConfigResource.Type.forId(change.type())) {
        case BROKER -> {
          // Before anything is judged: a refusal may tell of values and of files.
          guard.requireCluster(who, AclOperation.ALTER_CONFIGS);
          broker(change);
        }
        case BROKER_LOGGER -> {
          loggers(who, change, validateOnly);
          return Optional.of(ApiError.NONE);
        }
        case TOPIC, CLIENT_METRICS, GROUP -> {
          // The controller's to judge.
        }
        default -> throw unknown(change);
      }
      return Optional.empty();
    } catch (RuntimeException refusal) {
      return Optional.of(ApiError.fromThrowable(refusal));
    }
  }

  private static InvalidRequestException unknown(Change change) {
    return new InvalidRequestException("Unknown resource type " + change.type());
  }

  private static void requireSound(Change change) {
    Set<String> keys = new HashSet<>();
    for (Operation operation : change.operations()) {
      if (!keys.add(operation.key())) {
        throw new InvalidRequestException("Error due to duplicate config keys");
      }
      if (operation.code() != OpType.DELETE.id() && operation.value() == null) {
        throw new InvalidRequestException("Null value not supported for : " + operation.key());
      }
    }
  }

  private void broker(Change change) {
    if (!change.whole()) {
      control
          .changes()
          .require(change.name(), change.operations().stream().map(Operation::known).toList());
      return;
    }
    Map<String, String> values = new HashMap<>();
    change.operations().forEach(one -> values.put(one.key(), String.valueOf(one.value())));
    control.changes().require(change.name(), values);
  }

  private void loggers(RequestContext who, Change change, boolean validateOnly) {
    if (change.whole()) {
      throw unknown(change);
    }
    guard.requireCluster(who, AclOperation.ALTER_CONFIGS);
    loggers.requireThisNode(change.name());
    change.operations().forEach(loggers::require);
    if (!validateOnly) {
      change.operations().forEach(loggers::apply);
    }
  }
}
