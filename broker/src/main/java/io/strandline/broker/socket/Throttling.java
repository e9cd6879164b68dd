package io.strandline.broker.socket;

import io.netty.channel.Channel;
import org.apache.kafka.server.quota.ThrottleCallback;
import org.jspecify.annotations.Nullable;

/**
 * The times for which nothing more of a connection is read or served, because of quotas; several
 * may overlap. A long frame that was begun before is read and served, and what it costs makes the
 * time longer: it would keep its memory all that time. Quotas keep this until the last is over: of
 * a connection that has ended before it holds nothing.
 *
 * <p>All on the connection's event loop, but {@link #endThrottling}.
 */
final class Throttling implements ThrottleCallback {
  private record Held(Channel channel, FrameReader reader, Runnable goOn) {}

  private volatile @Nullable Held held;
  private int times;

  /**
   * @param goOn called when the reader reads again
   */
  Throttling(Channel channel, FrameReader reader, Runnable goOn) {
    this.held = new Held(channel, reader, goOn);
  }

  @Override
  public void startThrottling() {
    times++;
    Held connection = held;
    if (connection != null) {
      connection.reader.pause(FrameReader.Pause.QUOTA);
    }
  }

  @Override
  public void endThrottling() {
    Held connection = held;
    if (connection != null) {
      Connection.onLoop(connection.channel, this::end);
    }
  }

  private void end() {
    times--;
    Held connection = held;
    if (times == 0 && connection != null) {
      connection.reader.resume(FrameReader.Pause.QUOTA);
      connection.goOn.run();
    }
  }

  /** The connection has ended. */
  void forget() {
    held = null;
  }
}
