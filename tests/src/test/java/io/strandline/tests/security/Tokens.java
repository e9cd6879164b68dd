package io.strandline.tests.security;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.Map;

/** Somebody who signs tokens (RFC 7519), with the file of his keys (RFC 7517). */
final class Tokens {
  static final String AUDIENCE = "strandline";
  private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

  private final Path dir;
  private final KeyPair keys;

  Tokens(Path dir) throws GeneralSecurityException {
    this.dir = dir;
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    keys = generator.generateKeyPair();
  }

  /** The key set that a server checks with. */
  Path keySet() throws IOException {
    RSAPublicKey key = (RSAPublicKey) keys.getPublic();
    allow(dir.resolve("jwks.json"));
    return Files.writeString(
        dir.resolve("jwks.json"),
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k1\",\"alg\":\"RS256\",\"use\":\"sig\",\"n\":\""
            + number(key.getModulus())
            + "\",\"e\":\""
            + number(key.getPublicExponent())
            + "\"}]}");
  }

  /** Kafka's clients and servers read tokens and keys from where the JVM says they may. */
  private static synchronized void allow(Path file) {
    String key = "org.apache.kafka.sasl.oauthbearer.allowed.urls";
    String before = System.getProperty(key);
    String url = file.toUri().toString();
    System.setProperty(key, before == null ? url : before + "," + url);
  }

  private static String number(BigInteger n) {
    byte[] bytes = n.toByteArray();
    int from = bytes[0] == 0 ? 1 : 0;
    return BASE64.encodeToString(java.util.Arrays.copyOfRange(bytes, from, bytes.length));
  }

  /** A file with a token for a user, good from now on for so many seconds. */
  Path token(String file, String user, long seconds) throws Exception {
    long now = System.currentTimeMillis() / 1000;
    String head = part("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}");
    String body =
        part(
            "{\"sub\":\""
                + user
                + "\",\"aud\":\""
                + AUDIENCE
                + "\",\"iat\":"
                + (now - 3600)
                + ",\"exp\":"
                + (now + seconds)
                + "}");
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(keys.getPrivate());
    signature.update((head + "." + body).getBytes(StandardCharsets.US_ASCII));
    allow(dir.resolve(file));
    return Files.writeString(
        dir.resolve(file), head + "." + body + "." + BASE64.encodeToString(signature.sign()));
  }

  private static String part(String json) {
    return BASE64.encodeToString(json.getBytes(StandardCharsets.UTF_8));
  }

  /** What a client needs to log in with the token of a file. */
  static Map<String, String> client(Path token) {
    return Map.of(
        "sasl.mechanism",
        "OAUTHBEARER",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
        "sasl.login.callback.handler.class",
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
        "sasl.oauthbearer.token.endpoint.url",
        token.toUri().toString());
  }
}
