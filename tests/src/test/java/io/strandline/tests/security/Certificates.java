package io.strandline.tests.security;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Self-signed certificates, made by the JDK's keytool. */
public final class Certificates {
  public static final String PASSWORD = "hush-keystore-1f2e";
  private static final String ALIAS = "it";

  private final Path dir;

  public Certificates(Path dir) {
    this.dir = dir;
  }

  /** A key with its certificate, for 127.0.0.1 and localhost. */
  public Path make(String file, String name) throws Exception {
    Path store = dir.resolve(file);
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                ALIAS,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-dname",
                "CN=" + name + ",OU=tests,O=Strandline",
                "-ext",
                "SAN=IP:127.0.0.1,DNS:localhost",
                "-keystore",
                store.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!keytool.waitFor(60, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
      throw new IllegalStateException(said);
    }
    return store;
  }

  /** A store that trusts these. */
  Path trust(String file, Path... stores) throws Exception {
    KeyStore trust = KeyStore.getInstance("PKCS12");
    trust.load(null, null);
    for (int i = 0; i < stores.length; i++) {
      trust.setCertificateEntry("trusted-" + i, certificate(stores[i]));
    }
    Path path = dir.resolve(file);
    try (OutputStream out = Files.newOutputStream(path)) {
      trust.store(out, PASSWORD.toCharArray());
    }
    return path;
  }

  static Certificate certificate(Path store) throws GeneralSecurityException, IOException {
    return load(store).getCertificate(ALIAS);
  }

  static KeyStore load(Path store) throws GeneralSecurityException, IOException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    return keys;
  }

  /** The same key and certificate as PEM. */
  Path pem(String file, Path store) throws Exception {
    Key key = load(store).getKey(ALIAS, PASSWORD.toCharArray());
    return Files.writeString(
        dir.resolve(file),
        block("PRIVATE KEY", key.getEncoded())
            + block("CERTIFICATE", certificate(store).getEncoded()));
  }

  /** The certificate alone as PEM, for those who trust it. */
  Path pemOf(String file, Path store) throws Exception {
    return Files.writeString(
        dir.resolve(file), block("CERTIFICATE", certificate(store).getEncoded()));
  }

  private static String block(String what, byte[] bytes) {
    return "-----BEGIN "
        + what
        + "-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
        + "\n-----END "
        + what
        + "-----\n";
  }

  /** Puts the contents of one file in the place of another's, at once. */
  static void replace(Path file, Path by) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".new");
    Files.copy(by, beside, StandardCopyOption.REPLACE_EXISTING);
    Files.setLastModifiedTime(
        beside,
        java.nio.file.attribute.FileTime.fromMillis(
            Files.getLastModifiedTime(file).toMillis() + 5_000));
    Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
  }

  static Map<String, String> keystore(Path store) {
    return Map.of(
        "ssl.keystore.type",
        "PKCS12",
        "ssl.keystore.location",
        store.toString(),
        "ssl.keystore.password",
        PASSWORD,
        "ssl.key.password",
        PASSWORD);
  }

  static Map<String, String> truststore(Path store) {
    return Map.of(
        "ssl.truststore.type",
        "PKCS12",
        "ssl.truststore.location",
        store.toString(),
        "ssl.truststore.password",
        PASSWORD);
  }
}
