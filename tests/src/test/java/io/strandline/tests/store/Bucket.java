package io.strandline.tests.store;

import io.minio.GetObjectArgs;
import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.Result;
import io.minio.messages.Item;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where a test's objects lie: below a directory or, when the environment names an S3 server, below
 * a prefix of its own in that server's bucket. Looked into without our own store.
 */
public final class Bucket {
  private final @Nullable S3Server server;
  private final Path directory;
  private final String prefix;

  private Bucket(@Nullable S3Server server, Path directory, String prefix) {
    this.server = server;
    this.directory = directory;
    this.prefix = prefix;
  }

  /** A new one. */
  public static Bucket of(Path directory) {
    String name = directory.getFileName() + Long.toString(System.nanoTime(), 36);
    return new Bucket(S3Server.fromEnvironment(), directory, name);
  }

  public String uri() {
    S3Server there = server;
    return there == null
        ? "file:" + directory
        : "s3://%s/%s?endpoint=%s".formatted(there.bucket(), prefix, there.endpoint());
  }

  /** What a process needs in its environment to use it. */
  public Map<String, String> environment() {
    S3Server there = server;
    return there == null
        ? Map.of()
        : Map.of(
            "AWS_ACCESS_KEY_ID", there.keys().accessKey(),
            "AWS_SECRET_ACCESS_KEY", there.keys().secretKey());
  }

  /** Keys of all objects, with length and time; in a directory also what else lies there. */
  public Map<String, String> objects() throws Exception {
    S3Server there = server;
    return there == null ? files() : listed(there);
  }

  private Map<String, String> files() throws IOException {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        String state = Files.size(path) + " " + Files.getLastModifiedTime(path);
        found.put(directory.relativize(path).toString(), state);
      }
    }
    return found;
  }

  private Map<String, String> listed(S3Server there) throws Exception {
    Map<String, String> found = new TreeMap<>();
    for (Result<Item> result :
        minio(there)
            .listObjects(
                ListObjectsArgs.builder()
                    .bucket(there.bucket())
                    .prefix(prefix + "/")
                    .recursive(true)
                    .build())) {
      Item item = result.get();
      String key = item.objectName().substring(prefix.length() + 1);
      found.put(key, item.size() + " " + item.lastModified());
    }
    return found;
  }

  /** The bytes of one of {@link #objects}. */
  public byte[] read(String key) throws Exception {
    S3Server there = server;
    if (there == null) {
      return Files.readAllBytes(directory.resolve(key));
    }
    try (InputStream in =
        minio(there)
            .getObject(
                GetObjectArgs.builder()
                    .bucket(there.bucket())
                    .object(prefix + "/" + key)
                    .build())) {
      return in.readAllBytes();
    }
  }

  private static MinioClient minio(S3Server there) {
    return MinioClient.builder()
        .endpoint(there.endpoint())
        .region("us-east-1")
        .credentials(there.keys().accessKey(), there.keys().secretKey())
        .build();
  }
}
