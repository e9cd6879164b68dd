package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A certificate that signs itself, for brokers and their clients alike.
 *
 * @param store PKCS #12, with the key
 */
public record Certificate(Path store) {
  private static final String PASSWORD = "bench-secret";

  /** Makes one by the JDK's {@code keytool}. */
  public static Certificate make(Path dir) throws IOException, InterruptedException {
    Files.createDirectories(dir);
    Path store = dir.resolve("certificate.p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command =
        List.of(
            keytool,
            "-genkeypair",
            "-alias",
            "bench",
            "-keyalg",
            "RSA",
            "-keysize",
            "2048",
            "-dname",
            "CN=localhost",
            "-ext",
            "san=ip:127.0.0.1",
            "-storetype",
            "PKCS12",
            "-keystore",
            store.toString(),
            "-storepass",
            PASSWORD);
    BrokerProcess.start("keytool", dir, command, Map.of()).awaitSuccess();
    return new Certificate(store);
  }

  /** What a broker with a listener of TLS is set to. */
  Map<String, String> server() {
    return Map.of(
        "ssl.keystore.type",
        "PKCS12",
        "ssl.keystore.location",
        store.toString(),
        "ssl.keystore.password",
        PASSWORD);
  }

  Map<String, String> client() {
    return Map.of(
        "security.protocol",
        "SSL",
        "ssl.truststore.type",
        "PKCS12",
        "ssl.truststore.location",
        store.toString(),
        "ssl.truststore.password",
        PASSWORD);
  }
}
