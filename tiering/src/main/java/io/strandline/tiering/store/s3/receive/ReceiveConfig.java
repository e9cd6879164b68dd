package io.strandline.tiering.store.s3.receive;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.time.Duration;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.http.SystemPropertyTlsKeyManagersProvider;

/**
 * How connections are made and given up.
 *
 * @param connectionsMax open at once, used or idle
 * @param connectTimeout until a connection stands, and until TLS stands on it
 * @param idle how long a connection is kept that nobody uses
 * @param silences of that length in a row, after which a server that owes bytes is given up
 * @param trust asked once, before the first connection with TLS
 */
public record ReceiveConfig(
    int connectionsMax, Duration connectTimeout, Duration idle, int silences, Trust trust) {
  /** Whom to believe, and who we are. */
  @FunctionalInterface
  public interface Trust {
    SslContext context() throws SSLException;
  }

  /** The SDK's own defaults: 5 s for what is idle, 30 s for a server that owes bytes. */
  public static ReceiveConfig of(int connectionsMax, Duration connectTimeout) {
    return new ReceiveConfig(
        connectionsMax, connectTimeout, Duration.ofSeconds(5), 6, ReceiveConfig::systemTrust);
  }

  /** The JVM's certificates, and the key store of its system properties, as the SDK's client. */
  private static SslContext systemTrust() throws SSLException {
    SslContextBuilder builder = SslContextBuilder.forClient().sslProvider(SslProvider.JDK);
    var keys = SystemPropertyTlsKeyManagersProvider.create().keyManagers();
    if (keys != null && keys.length > 0) {
      builder.keyManager(keys[0]);
    }
    return builder.build();
  }
}
