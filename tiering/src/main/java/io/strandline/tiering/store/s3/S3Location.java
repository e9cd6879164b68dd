package io.strandline.tiering.store.s3;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A bucket, a prefix in it and how to talk to it: {@code
 * s3://bucket/prefix?region=…&endpoint=…&pathStyle=…&checksum=…&sse=…&kmsKey=…&receive=…}.
 *
 * @param prefix before every key: empty, or ending in a slash
 */
public record S3Location(String bucket, String prefix, S3Options options) {
  private static final Set<String> KNOWN =
      new TreeSet<>(
          Set.of("region", "endpoint", "pathStyle", "checksum", "sse", "kmsKey", "receive"));

  /** How bytes are protected on their way. */
  public enum Checksum {
    NONE,
    CRC32C
  }

  /** Who reads the bodies of ranged GETs. */
  public enum Receive {
    /** Our own connections, in large pieces, straight to where they belong. */
    DIRECT,
    /** The SDK's client, as for all other requests. */
    SDK
  }

  /** How objects are encrypted by the store. */
  public enum Encryption {
    /** As the bucket says. */
    DEFAULT,
    AES256,
    KMS
  }

  /**
   * What the query of the URI says.
   *
   * @param endpoint none for AWS itself
   * @param pathStyle the bucket in the path, not in the host name
   */
  public record S3Options(
      Optional<String> region,
      Optional<URI> endpoint,
      boolean pathStyle,
      Checksum checksum,
      Sse sse,
      Receive receive) {}

  /**
   * Encryption by the store.
   *
   * @param kmsKey only with {@link Encryption#KMS}; none for the account's default key
   */
  public record Sse(Encryption encryption, Optional<String> kmsKey) {}

  /**
   * @throws IllegalArgumentException that says what is wrong and what is allowed
   */
  public static S3Location parse(String uri) {
    String rest = uri.substring("s3://".length());
    int question = rest.indexOf('?');
    String path = question < 0 ? rest : rest.substring(0, question);
    Map<String, String> query = question < 0 ? Map.of() : query(uri, rest.substring(question + 1));
    int slash = path.indexOf('/');
    String bucket = slash < 0 ? path : path.substring(0, slash);
    if (!bucket.matches("[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]")) {
      throw wrong(uri, "'" + bucket + "' is not the name of a bucket");
    }
    String prefix = slash < 0 ? "" : path.substring(slash + 1).replaceAll("/+$", "");
    if (!prefix.matches("[A-Za-z0-9._/-]{0,300}") || prefix.contains("//")) {
      throw wrong(uri, "a prefix has letters, digits and . _ - /");
    }
    return new S3Location(bucket, prefix.isEmpty() ? "" : prefix + "/", options(uri, query));
  }

  private static S3Options options(String uri, Map<String, String> query) {
    Optional<URI> endpoint = Optional.ofNullable(query.get("endpoint")).map(e -> endpoint(uri, e));
    String pathStyle = query.getOrDefault("pathStyle", Boolean.toString(endpoint.isPresent()));
    if (!pathStyle.equals("true") && !pathStyle.equals("false")) {
      throw wrong(uri, "pathStyle is true or false");
    }
    Checksum checksum =
        switch (query.getOrDefault("checksum", "crc32c")) {
          case "crc32c" -> Checksum.CRC32C;
          case "none" -> Checksum.NONE;
          default -> throw wrong(uri, "checksum is crc32c or none");
        };
    return new S3Options(
        Optional.ofNullable(query.get("region")),
        endpoint,
        Boolean.parseBoolean(pathStyle),
        checksum,
        sse(uri, query),
        receive(uri, query));
  }

  private static Receive receive(String uri, Map<String, String> query) {
    return switch (query.getOrDefault("receive", "direct")) {
      case "direct" -> Receive.DIRECT;
      case "sdk" -> Receive.SDK;
      default -> throw wrong(uri, "receive is direct or sdk");
    };
  }

  private static Sse sse(String uri, Map<String, String> query) {
    Optional<String> key = Optional.ofNullable(query.get("kmsKey"));
    Encryption encryption =
        switch (query.getOrDefault("sse", key.isPresent() ? "aws:kms" : "")) {
          case "" -> Encryption.DEFAULT;
          case "AES256" -> Encryption.AES256;
          case "aws:kms" -> Encryption.KMS;
          default -> throw wrong(uri, "sse is AES256 or aws:kms");
        };
    if (key.isPresent() && encryption != Encryption.KMS) {
      throw wrong(uri, "kmsKey goes with sse=aws:kms");
    }
    return new Sse(encryption, key);
  }

  private static URI endpoint(String uri, String value) {
    String url = value.contains("://") ? value : "https://" + value;
    try {
      URI endpoint = URI.create(url);
      if (endpoint.getHost() != null && url.matches("https?://.*")) {
        return endpoint;
      }
    } catch (IllegalArgumentException e) {
      throw wrong(uri, "the endpoint is no URL: " + e.getMessage());
    }
    throw wrong(uri, "the endpoint is http://host:port or https://host:port, not " + value);
  }

  private static Map<String, String> query(String uri, String query) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      if (equals < 0 || !KNOWN.contains(name)) {
        throw wrong(uri, "'" + name + "' is not one of " + String.join(", ", KNOWN));
      }
      String value = URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
      if (value.isEmpty() || values.put(name, value) != null) {
        throw wrong(uri, "'" + name + "' has no value or two");
      }
    }
    return values;
  }

  private static IllegalArgumentException wrong(String uri, String why) {
    return new IllegalArgumentException("not an S3 location: " + uri + ": " + why);
  }

  /** The URI, which holds no secrets. */
  public String describe() {
    StringBuilder text = new StringBuilder("s3://").append(bucket).append('/').append(prefix);
    options.endpoint().ifPresent(endpoint -> text.append("?endpoint=").append(endpoint));
    return text.toString();
  }
}
