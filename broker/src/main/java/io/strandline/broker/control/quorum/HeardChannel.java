package io.strandline.broker.control.quorum;

import java.util.Optional;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.ControllerRequestCompletionHandler;
import org.apache.kafka.server.common.NodeToControllerChannelManager;

/** A channel to the active controller that knows when one answered last. Threads: any. */
public final class HeardChannel implements NodeToControllerChannelManager {
  private static final long NANOS_PER_MS = 1_000_000;

  private final NodeToControllerChannelManager channel;
  private final Time time;
  private volatile long heardNanos;

  public HeardChannel(NodeToControllerChannelManager channel, Time time) {
    this.channel = channel;
    this.time = time;
    this.heardNanos = time.nanoseconds();
  }

  /** Milliseconds since the last answer, or since it was made. */
  public long silentMs() {
    return (time.nanoseconds() - heardNanos) / NANOS_PER_MS;
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
