package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minio.GetObjectArgs;
import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.minio.RemoveObjectArgs;
import io.minio.Result;
import io.minio.messages.Item;
import io.strandline.tests.store.S3Server;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * History in a bucket, over HTTP; afterwards MinIO's client, which shares no code with ours, holds
 * the bucket against what the tool says of it.
 */
abstract class S3RoundTrip extends HistoryRoundTrip {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String prefix = "roundtrip/" + Long.toString(System.nanoTime(), 36);

  /** The server; the subclass starts it, or skips the test. */
  abstract S3Server server();

  @Override
  Map<String, String> store() {
    return Map.of("strandline.object.store", uri());
  }

  @Override
  Scale scale() {
    return Scale.of(60L << 20, 1 << 20, 256 << 10);
  }

  @Override
  Map<String, String> environment() {
    return Map.of(
        "AWS_ACCESS_KEY_ID", server().keys().accessKey(),
        "AWS_SECRET_ACCESS_KEY", server().keys().secretKey());
  }

  @Override
  void audit() throws Exception {
    List<JsonNode> segments = segments();
    assertThat(segments).hasSizeGreaterThan(10);
    MinioClient minio =
        MinioClient.builder()
            .endpoint(server().endpoint())
            .credentials(server().keys().accessKey(), server().keys().secretKey())
            .build();
    Map<String, Long> inBucket = lengths(minio);
    for (JsonNode segment : segments) {
      String object = prefix + "/" + segment.get("object").asText();
      assertThat(inBucket).containsEntry(object, segment.get("bytes").asLong());
      assertThat(crc32c(minio, object)).as(object).isEqualTo(segment.get("crc32c").asText());
    }
    ToolProcess.Ended sound = tier("verify", "--json");
    assertThat(sound.exitCode()).as("%s", sound).isZero();

    String victim = segments.get(3).get("object").asText();
    minio.removeObject(
        RemoveObjectArgs.builder().bucket(server().bucket()).object(prefix + "/" + victim).build());
    ToolProcess.Ended damaged = tier("verify", "--json");
    assertThat(damaged.exitCode()).as("%s", damaged).isEqualTo(1);
    assertThat(damaged.out()).anyMatch(l -> l.contains("missing") && l.contains(victim));
  }

  private String uri() {
    return "s3://"
        + server().bucket()
        + "/"
        + prefix
        + "?region=us-east-1&endpoint="
        + server().endpoint();
  }

  private ToolProcess.Ended tier(String command, String... more)
      throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("tier", command, "--store", uri()));
    arguments.addAll(List.of(more));
    return ToolProcess.run(dir, environment(), arguments.toArray(String[]::new));
  }

  private List<JsonNode> segments() throws IOException, InterruptedException {
    ToolProcess.Ended listed = tier("ls", "--segments", "--json");
    assertThat(listed.exitCode()).as("%s", listed).isZero();
    List<JsonNode> segments = new ArrayList<>();
    for (String line : listed.out()) {
      segments.add(JSON.readTree(line));
    }
    return segments;
  }

  private Map<String, Long> lengths(MinioClient minio) throws Exception {
    Map<String, Long> lengths = new TreeMap<>();
    for (Result<Item> result :
        minio.listObjects(
            ListObjectsArgs.builder()
                .bucket(server().bucket())
                .prefix(prefix + "/")
                .recursive(true)
                .build())) {
      lengths.put(result.get().objectName(), result.get().size());
    }
    return lengths;
  }

  private String crc32c(MinioClient minio, String object) throws Exception {
    CRC32C crc = new CRC32C();
    try (InputStream in =
        minio.getObject(GetObjectArgs.builder().bucket(server().bucket()).object(object).build())) {
      crc.update(in.readAllBytes());
    }
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
