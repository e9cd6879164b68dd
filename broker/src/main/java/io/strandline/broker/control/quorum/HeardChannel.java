package io.strandline.broker.control.quorum;

import java.util.Optional;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.BrokerRegistrationResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.ControllerRequestCompletionHandler;
import org.apache.kafka.server.common.NodeToControllerChannelManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A channel to the active controller that knows when one answered last, and why it refused to
 * register this broker: Kafka tells nobody. Threads: any.
 */
public final class HeardChannel implements NodeToControllerChannelManager {
  private static final Logger LOG = LoggerFactory.getLogger(HeardChannel.class);
  private static final long NANOS_PER_MS = 1_000_000;

  private final NodeToControllerChannelManager channel;
  private final Time time;
  private volatile long heardNanos;
  private volatile Errors refusal = Errors.NONE;

  public HeardChannel(NodeToControllerChannelManager channel, Time time) {
    this.channel = channel;
    this.time = time;
    this.heardNanos = time.nanoseconds();
  }

  /** Milliseconds since the last answer, or since it was made. */
  public long silentMs() {
    return (time.nanoseconds() - heardNanos) / NANOS_PER_MS;
  }

  /** Of the last registration that was answered; NONE when it was taken, or none was. */
  public Errors refusal() {
    return refusal;
  }

  /** Told once, for it is tried again until the start gives up. */
  private void registered(BrokerRegistrationResponse answer) {
    Errors error = Errors.forCode(answer.data().errorCode());
    if (error != Errors.NONE && error != refusal) {
      LOG.atWarn()
          .addKeyValue("reason", error + ", " + error.message())
          .log("the controller refuses to register this broker for now");
    }
    refusal = error;
  }

  @Override
  public void sendRequest(
      AbstractRequest.Builder<? extends AbstractRequest> request,
      ControllerRequestCompletionHandler callback) {
    channel.sendRequest(
        request,
        new ControllerRequestCompletionHandler() {
          @Override
          public void onTimeout() {
            callback.onTimeout();
          }

          @Override
          public void onComplete(ClientResponse response) {
            if (response.hasResponse()) {
              heardNanos = time.nanoseconds();
              if (response.responseBody() instanceof BrokerRegistrationResponse answer) {
                registered(answer);
              }
            }
            callback.onComplete(response);
          }
        });
  }

  @Override
  public Optional<NodeApiVersions> controllerApiVersions() {
    return channel.controllerApiVersions();
  }

  @Override
  public void start() {
    channel.start();
  }

  @Override
  public void shutdown() throws InterruptedException {
    channel.shutdown();
  }

  @Override
  public long getTimeoutMs() {
    return channel.getTimeoutMs();
  }
}
