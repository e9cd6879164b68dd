package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.request.Dispatcher;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of the controller's answers, and of none. */
class ChannelsTest {
  @Test
  void aNodeThatCanNotLogInDoesNotSayThatItsClientCanNot() {
    var answer = settled(new SaslAuthenticationException("wrong password"), null);
    assertThatThrownBy(answer::join)
        .satisfies(
            failure ->
                assertThat(Errors.forException(Dispatcher.cause(failure)))
                    .isEqualTo(Errors.UNKNOWN_SERVER_ERROR))
        .hasMessageContaining("can not log in to the controller");
  }

  @Test
  void otherFailuresAreTheRequests() {
    var unknown = settled(null, new UnsupportedVersionException("too new"));
    assertThatThrownBy(unknown::join).hasCauseInstanceOf(UnsupportedVersionException.class);
    assertThatThrownBy(settled(null, null)::join)
        .satisfies(
            failure ->
                assertThat(Errors.forException(Dispatcher.cause(failure)))
                    .isEqualTo(Errors.REQUEST_TIMED_OUT));
  }

  private static CompletableFuture<AbstractResponse> settled(
      @Nullable AuthenticationException refused, @Nullable UnsupportedVersionException unknown) {
    CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();
    RequestHeader header = new RequestHeader(ApiKeys.ENVELOPE, (short) 0, "test", 1);
    Channels.settle(
        answer,
        new ClientResponse(header, null, "1", 0, 0, unknown == null, unknown, refused, null));
    return answer;
  }
}
