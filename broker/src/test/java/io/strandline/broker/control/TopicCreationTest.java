package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.TopicCreator;
import org.junit.jupiter.api.Test;

/** Topics made for clients that name them: what becomes of a creation that fails. */
class TopicCreationTest {
  private final Queue<Supplier<CompletableFuture<CreateTopicsResponse>>> sends = new ArrayDeque<>();
  private final TopicCreation creation =
      new TopicCreation(
          new TopicCreator() {
            @Override
            public CompletableFuture<CreateTopicsResponse> createTopicWithPrincipal(
                RequestContext client, CreateTopicsRequest.Builder request) {
              return sends.remove().get();
            }

            @Override
            public CompletableFuture<CreateTopicsResponse> createTopicWithoutPrincipal(
                CreateTopicsRequest.Builder request) {
              return sends.remove().get();
            }
          },
          new ControlConfig(Map.of()).withControllerPort(1).parse());

  @Test
  void oneThatCanNotEvenBeSentIsToldAndTriedAgain() {
    sends.add(
        () -> {
          throw new IllegalStateException("the channel is closed");
        });
    sends.add(() -> CompletableFuture.completedFuture(created("orders")));
    assertThat(ask("orders")).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
    assertThat(ask("orders")).isEqualTo(Errors.NONE);
  }

  @Test
  void aNodeThatCanNotLogInDoesNotSayThatItsClientCanNot() {
    sends.add(() -> CompletableFuture.failedFuture(new SaslAuthenticationException("refused")));
    assertThat(ask("orders")).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
  }

  private Errors ask(String topic) {
    Map<String, ApiError> answer = creation.create(Set.of(topic), null).getNow(Map.of());
    return answer.getOrDefault(topic, new ApiError(Errors.REQUEST_TIMED_OUT)).error();
  }

  private static CreateTopicsResponse created(String topic) {
    CreateTopicsResponseData data = new CreateTopicsResponseData();
    data.topics().add(new CreatableTopicResult().setName(topic));
    return new CreateTopicsResponse(data);
  }
}
