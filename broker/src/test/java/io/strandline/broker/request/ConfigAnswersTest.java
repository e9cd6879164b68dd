package io.strandline.broker.request;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.config.ConfigHandlers;
import io.strandline.broker.request.data.DataRig;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.DescribeConfigsRequest;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.apache.kafka.common.requests.IncrementalAlterConfigsRequest;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What a broker answers of configurations by itself, while no controller answers it. */
class ConfigAnswersTest {
  private static final KafkaConfig KAFKA =
      new ControlConfig(Map.of()).withControllerPort(9095).parse();
  private static final String NAMED = "io.strandline.broker.request.Named";

  private final Logger named = (Logger) LoggerFactory.getLogger(NAMED);
  private RuntimeException failure = new TimeoutException("no controller answered");
  private final ApiTable table =
      new ConfigHandlers(control(), Guard.open()).addTo(ApiTable.builder()).build();

  @AfterEach
  void inherit() {
    named.setLevel(null);
  }

  private ControlPlane control() {
    return (ControlPlane)
        Proxy.newProxyInstance(
            ControlPlane.class.getClassLoader(),
            new Class<?>[] {ControlPlane.class},
            (self, method, arguments) ->
                switch (method.getName()) {
                  case "kafkaConfig" -> KAFKA;
                  case "view" -> null;
                  case "forward" -> CompletableFuture.failedFuture(failure);
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  @SuppressWarnings("unchecked")
  private <T extends AbstractRequest> Reply answer(ApiKeys api, T body) {
    Handler<T> handler = (Handler<T>) table.handler(api).orElseThrow();
    return handler.handle(DataRig.request(api, body, () -> {})).toCompletableFuture().join();
  }

  private Reply alter(AlterConfigsResource... changes) {
    var data = new IncrementalAlterConfigsRequestData();
    data.resources().addAll(List.of(changes));
    return answer(
        ApiKeys.INCREMENTAL_ALTER_CONFIGS, new IncrementalAlterConfigsRequest(data, (short) 1));
  }

  private static Map<String, Errors> errors(Reply reply) {
    var answer = (IncrementalAlterConfigsResponse) Objects.requireNonNull(reply.response());
    return answer.data().responses().stream()
        .collect(
            Collectors.toMap(
                AlterConfigsResourceResponse::resourceName,
                one -> Errors.forCode(one.errorCode())));
  }

  private static AlterConfigsResource change(Type type, String name, AlterableConfig... keys) {
    var change = new AlterConfigsResource().setResourceType(type.id()).setResourceName(name);
    change.configs().addAll(List.of(keys));
    return change;
  }

  private static AlterableConfig set(String key, String value) {
    return new AlterableConfig().setName(key).setValue(value).setConfigOperation(OpType.SET.id());
  }

  private static AlterableConfig delete(String key) {
    return new AlterableConfig().setName(key).setConfigOperation(OpType.DELETE.id());
  }

  @Test
  void whatWasRefusedHereIsToldWhoeverAnswersTheRest() {
    AlterConfigsResource twice =
        change(Type.TOPIC, "a", set("retention.ms", "7"), delete("retention.ms"));
    AlterConfigsResource good = change(Type.TOPIC, "b", set("retention.ms", "7"));
    assertThat(errors(alter(twice, good)))
        .isEqualTo(Map.of("a", Errors.INVALID_REQUEST, "b", Errors.REQUEST_TIMED_OUT));
    failure = new UnsupportedVersionException("the controller was downgraded");
    assertThat(alter(twice.duplicate(), good.duplicate()).closesConnection()).isTrue();
  }

  @Test
  void anEmptyListOfLoggersAsksForAll() {
    var asked =
        new DescribeConfigsResource()
            .setResourceType(Type.BROKER_LOGGER.id())
            .setResourceName("1")
            .setConfigurationKeys(List.of());
    var data = new DescribeConfigsRequestData().setResources(List.of(asked));
    var request = new DescribeConfigsRequest.Builder(data).build((short) 4);
    var answer = (DescribeConfigsResponse) answer(ApiKeys.DESCRIBE_CONFIGS, request).response();
    assertThat(Objects.requireNonNull(answer).data().results().get(0).configs())
        .extracting(DescribeConfigsResourceResult::name)
        .contains("root", NAMED);
  }

  @Test
  void theRootLoggerHasOneName() {
    AlterConfigsResource change =
        change(Type.BROKER_LOGGER, "1", set(NAMED, "ERROR"), delete("ROOT"));
    assertThat(errors(alter(change))).isEqualTo(Map.of("1", Errors.INVALID_CONFIG));
    assertThat(named.getLevel()).isNull();
  }
}
