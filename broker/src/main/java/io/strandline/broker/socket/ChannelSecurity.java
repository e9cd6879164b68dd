package io.strandline.broker.socket;

import io.netty.channel.ChannelPipeline;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** What stands between the wire and the frames of a listener: nothing, TLS, SASL. */
interface ChannelSecurity {
  /** Adds its handlers to a new connection, before those that read frames. */
  void install(ChannelPipeline pipeline);

  /** Whether frames are read from the socket itself, so that the reader may choose the buffers. */
  boolean readsInPlace();

  /** For a protocol of the configuration; fails for those that are not there yet. */
  static ChannelSecurity of(SecurityProtocol protocol) {
    if (protocol == SecurityProtocol.PLAINTEXT) {
      return new Plaintext();
    }
    throw new IllegalArgumentException("security protocol " + protocol + " is not supported");
  }

  /** The wire as it is. */
  final class Plaintext implements ChannelSecurity {
    @Override
    public void install(ChannelPipeline pipeline) {}

    @Override
    public boolean readsInPlace() {
      return true;
    }
  }
}
