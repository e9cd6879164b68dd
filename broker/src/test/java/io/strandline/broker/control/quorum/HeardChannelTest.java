package io.strandline.broker.control.quorum;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.BrokerRegistrationRequest;
import org.apache.kafka.common.requests.BrokerRegistrationResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.server.common.ControllerRequestCompletionHandler;
import org.apache.kafka.server.common.NodeToControllerChannelManager;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class HeardChannelTest {
  @Test
  void whyARegistrationIsRefusedIsToldOnce() {
    Errors taken = Errors.DUPLICATE_BROKER_REGISTRATION;
    Errors foreign = Errors.INCONSISTENT_CLUSTER_ID;
    HeardChannel channel =
        new HeardChannel(
            new Script(new ArrayDeque<>(List.of(taken, taken, foreign, Errors.NONE))),
            SteadyTime.STEADY);
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    Logger logger = (Logger) LoggerFactory.getLogger(HeardChannel.class);
    logger.addAppender(said);
    try {
      assertThat(channel.refusal()).isEqualTo(Errors.NONE);
      for (Errors expected : List.of(taken, taken, foreign, Errors.NONE)) {
        register(channel);
        assertThat(channel.refusal()).isEqualTo(expected);
      }
    } finally {
      logger.detachAppender(said);
    }
    assertThat(said.list).extracting(ILoggingEvent::getLevel).containsOnly(Level.WARN);
    assertThat(said.list)
        .extracting(line -> String.valueOf(line.getKeyValuePairs().get(0).value))
        .satisfiesExactly(
            first -> assertThat(first).startsWith(taken.name()),
            second -> assertThat(second).startsWith(foreign.name()));
  }

  private static void register(HeardChannel channel) {
    channel.sendRequest(
        new BrokerRegistrationRequest.Builder(new BrokerRegistrationRequestData()),
        new ControllerRequestCompletionHandler() {
          @Override
          public void onTimeout() {
            throw new AssertionError("was answered");
          }

          @Override
          public void onComplete(ClientResponse response) {
            assertThat(response.hasResponse()).isTrue();
          }
        });
  }

  /** Answers at once. */
  private record Script(Queue<Errors> answers) implements NodeToControllerChannelManager {
    @Override
    public void sendRequest(
        AbstractRequest.Builder<? extends AbstractRequest> request,
        ControllerRequestCompletionHandler callback) {
      RequestHeader header = new RequestHeader(ApiKeys.BROKER_REGISTRATION, (short) 4, "test", 1);
      BrokerRegistrationResponse answer =
          new BrokerRegistrationResponse(
              new BrokerRegistrationResponseData().setErrorCode(answers.remove().code()));
      callback.onComplete(new ClientResponse(header, null, "1", 0, 0, false, null, null, answer));
    }

    @Override
    public Optional<NodeApiVersions> controllerApiVersions() {
      return Optional.empty();
    }

    @Override
    public void start() {}

    @Override
    public void shutdown() {}

    @Override
    public long getTimeoutMs() {
      return 0;
    }
  }
}
