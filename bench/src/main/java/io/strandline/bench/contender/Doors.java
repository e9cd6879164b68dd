package io.strandline.bench.contender;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Where a broker listens for clients. */
public final class Doors {
  private final int plain;
  private final int tls;
  private final Optional<Certificate> certificate;

  private Doors(int plain, int tls, Optional<Certificate> certificate) {
    this.plain = plain;
    this.tls = tls;
    this.certificate = certificate;
  }

  /** One for clear text, and one for TLS if there is a certificate. */
  public static Doors open(Optional<Certificate> certificate) throws IOException {
    return new Doors(Ports.free(), Ports.free(), certificate);
  }

  int plain() {
    return plain;
  }

  /** As a broker's configuration has them. */
  Map<String, String> settings() {
    Map<String, String> settings = new LinkedHashMap<>();
    certificate.ifPresent(one -> settings.putAll(one.server()));
    settings.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:"
            + plain
            + (certificate.isPresent() ? ",SSL://127.0.0.1:" + tls : ""));
    settings.put(
        "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT");
    return settings;
  }

  /** How a client comes in. */
  Map<String, Object> client(boolean secured) {
    Map<String, Object> client = new HashMap<>();
    client.put("bootstrap.servers", "127.0.0.1:" + (secured ? tls : plain));
    if (secured) {
      client.putAll(certificate.orElseThrow().client());
    }
    return client;
  }
}
