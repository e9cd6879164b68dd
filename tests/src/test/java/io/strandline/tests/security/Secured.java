package io.strandline.tests.security;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.security.token.delegation.DelegationToken;

/** Settings of a node with a listener of each kind, and of clients for them. */
final class Secured {
  static final String ADMIN_PASSWORD = "hush-admin-77aa";
  static final String ALICE_PASSWORD = "hush-alice-88bb";
  static final String NODE_PASSWORD = "hush-node-99cc";

  final Path serverKey;
  final Path clientKey;
  final Path trustsServer;
  final Path trustsClient;
  final Tokens tokens;
  private final Path pem;
  private final Path keySet;

  Secured(Path dir) throws Exception {
    Certificates certificates = new Certificates(dir);
    serverKey = certificates.make("server.p12", "server");
    clientKey = certificates.make("client.p12", "client-one");
    pem = certificates.pem("server.pem", serverKey);
    trustsServer = certificates.trust("trusts-server.p12", serverKey);
    trustsClient = certificates.trust("trusts-client.p12", clientKey);
    tokens = new Tokens(dir);
    keySet = tokens.keySet();
  }

  /**
   * TLS by key store; PEM; MTLS with a client's certificate; PLAIN; SCRAM over TLS; OAUTH, signed,
   * over TLS; DEV, unsigned tokens. The controller asks for a certificate and a password.
   */
  Map<String, String> settings() {
    Map<String, String> all = new HashMap<>();
    all.put(
        "listeners",
        "TLS://127.0.0.1:0,PEM://127.0.0.1:0,MTLS://127.0.0.1:0,PLAIN://127.0.0.1:0,"
            + "SCRAM://127.0.0.1:0,OAUTH://127.0.0.1:0,DEV://127.0.0.1:0,CONTROLLER://127.0.0.1:0");
    all.put(
        "listener.security.protocol.map",
        "TLS:SSL,PEM:SSL,MTLS:SSL,PLAIN:SASL_PLAINTEXT,SCRAM:SASL_SSL,OAUTH:SASL_SSL,"
            + "DEV:SASL_PLAINTEXT,CONTROLLER:SASL_SSL");
    all.put("inter.broker.listener.name", "PLAIN");
    all.put("sasl.mechanism.inter.broker.protocol", "PLAIN");
    all.put("sasl.mechanism.controller.protocol", "PLAIN");
    for (String encrypted : new String[] {"tls", "mtls", "scram", "oauth"}) {
      Certificates.keystore(serverKey)
          .forEach((k, v) -> all.put("listener.name." + encrypted + "." + k, v));
    }
    Certificates.keystore(clientKey).forEach((k, v) -> all.put("listener.name.controller." + k, v));
    Certificates.truststore(trustsClient)
        .forEach((k, v) -> all.put("listener.name.controller." + k, v));
    all.put("listener.name.controller.ssl.client.auth", "required");
    all.put("listener.name.pem.ssl.keystore.type", "PEM");
    all.put("listener.name.pem.ssl.keystore.location", pem.toString());
    all.put("ssl.client.auth", "requested");
    Certificates.truststore(trustsClient).forEach((k, v) -> all.put("listener.name.mtls." + k, v));
    all.put("listener.name.mtls.ssl.client.auth", "required");
    all.put("listener.name.mtls.ssl.principal.mapping.rules", "RULE:^CN=(.*?),.*$/$1/U");
    for (String plain : new String[] {"plain", "controller"}) {
      all.put("listener.name." + plain + ".sasl.enabled.mechanisms", "PLAIN");
      all.put(
          "listener.name." + plain + ".plain.sasl.jaas.config",
          "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"node\""
              + " password=\""
              + NODE_PASSWORD
              + "\" user_node=\""
              + NODE_PASSWORD
              + "\""
              + " user_admin=\""
              + ADMIN_PASSWORD
              + "\" user_alice=\""
              + ALICE_PASSWORD
              + "\";");
    }
    all.put("listener.name.scram.sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512");
    for (String mechanism : new String[] {"scram-sha-256", "scram-sha-512"}) {
      all.put(
          "listener.name.scram." + mechanism + ".sasl.jaas.config",
          "org.apache.kafka.common.security.scram.ScramLoginModule required;");
    }
    String bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
    all.put("listener.name.oauth.sasl.enabled.mechanisms", "OAUTHBEARER");
    all.put("listener.name.oauth.oauthbearer.sasl.jaas.config", bearer + ";");
    all.put(
        "listener.name.oauth.oauthbearer.sasl.server.callback.handler.class",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler");
    all.put("listener.name.oauth.sasl.oauthbearer.jwks.endpoint.url", keySet.toUri().toString());
    all.put("listener.name.oauth.sasl.oauthbearer.expected.audience", Tokens.AUDIENCE);
    all.put("listener.name.oauth.sasl.oauthbearer.clock.skew.seconds", "0");
    all.put("listener.name.dev.sasl.enabled.mechanisms", "OAUTHBEARER");
    all.put(
        "listener.name.dev.oauthbearer.sasl.jaas.config",
        bearer + " unsecuredLoginStringClaim_sub=\"node\";");
    return all;
  }

  static Map<String, String> plain(String user, String password) {
    return Map.of(
        "security.protocol",
        "SASL_PLAINTEXT",
        "sasl.mechanism",
        "PLAIN",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
            + user
            + "\" password=\""
            + password
            + "\";");
  }

  static Map<String, String> admin() {
    return plain("admin", ADMIN_PASSWORD);
  }

  Map<String, String> tls() {
    Map<String, String> all = new HashMap<>(Certificates.truststore(trustsServer));
    all.put("security.protocol", "SSL");
    return all;
  }

  Map<String, String> mutual() {
    Map<String, String> all = tls();
    all.putAll(Certificates.keystore(clientKey));
    return all;
  }

  Map<String, String> scram(String mechanism, String user, String password) {
    Map<String, String> all = tls();
    all.put("security.protocol", "SASL_SSL");
    all.put("sasl.mechanism", mechanism);
    all.put(
        "sasl.jaas.config",
        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
            + user
            + "\" password=\""
            + password
            + "\";");
    return all;
  }

  /** Log-in by a delegation token. */
  Map<String, String> delegated(String mechanism, DelegationToken token) {
    Map<String, String> all =
        new HashMap<>(scram(mechanism, token.tokenInfo().tokenId(), token.hmacAsBase64String()));
    all.computeIfPresent(
        "sasl.jaas.config", (key, value) -> value.replace(";", " tokenauth=\"true\";"));
    return all;
  }

  Map<String, String> bearer(Path token) {
    Map<String, String> all = tls();
    all.put("security.protocol", "SASL_SSL");
    all.putAll(Tokens.client(token));
    return all;
  }

  /** A token that nobody signed, for a while. */
  static Map<String, String> unsigned(String user, int seconds) {
    return Map.of(
        "security.protocol",
        "SASL_PLAINTEXT",
        "sasl.mechanism",
        "OAUTHBEARER",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
            + " unsecuredLoginStringClaim_sub=\""
            + user
            + "\""
            + " unsecuredLoginLifetimeSeconds=\""
            + seconds
            + "\";");
  }
}
