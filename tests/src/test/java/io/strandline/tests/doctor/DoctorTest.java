package io.strandline.tests.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.minio.ListObjectsArgs;
import io.minio.MinioClient;
import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.doctor.Gatekeeper.Fault;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Ports;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.S3MockProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;

/**
 * The doctor in a process of its own, beside a broker on S3Mock. Each verdict is seen both ways:
 * well where all is well, and not where something is wrong.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DoctorTest {
  private static final String BUCKET = "strandline";
  private static final String SECRET = "hush-hush-secret";
  private static final Map<String, String> KEYS =
      Map.of("AWS_ACCESS_KEY_ID", "somebody", "AWS_SECRET_ACCESS_KEY", SECRET);

  private static S3MockProcess s3;
  private static Gatekeeper gate;
  @TempDir Path dir;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    s3 = S3MockProcess.start(data, BUCKET);
    gate = new Gatekeeper(s3.endpoint());
    System.setProperty("aws.accessKeyId", "somebody");
    System.setProperty("aws.secretAccessKey", SECRET);
  }

  @AfterAll
  static void stop() {
    System.clearProperty("aws.accessKeyId");
    System.clearProperty("aws.secretAccessKey");
    gate.close();
    s3.close();
  }

  @Test
  void aBrokerThatIsWellIsSaidToBeAndLeavesNothingBehind() throws Exception {
    gate.fails(Fault.NONE);
    String admin = "127.0.0.1:" + Ports.free();
    Path home = dir.resolve("broker");
    Path config =
        config(
            Map.of(
                "log.dirs", home.resolve("data").toString(),
                "strandline.object.store", store(BUCKET, "well"),
                "strandline.admin.listener", admin));
    Map<String, String> settings = new LinkedHashMap<>(properties(config));
    try (BrokerProcess broker = BrokerProcess.start(home, settings, KEYS)) {
      topic(broker);
      Said well = doctor(config, "--bootstrap-server", broker.bootstrap());
      for (String check :
          List.of(
              "disk format",
              "bucket write",
              "clock store",
              "bucket owner",
              "bucket read",
              "bucket read of a range",
              "bucket list",
              "bucket create once",
              "bucket parts",
              "bucket abort",
              "bucket delete",
              "health " + admin,
              "readiness " + admin,
              "clock " + admin,
              "cluster",
              "quorum leader",
              "quorum voters",
              "quorum brokers",
              "clock controller",
              "partitions offline",
              "partitions under-replicated",
              "partitions log directories",
              "topics origin",
              "versions brokers",
              "versions features",
              "versions software")) {
        assertThat(well.verdict(check)).as("%s: %s", check, well.all()).isEqualTo("OK");
      }
      assertThat(well.found("limits open files")).contains("in process " + broker.pid());
      assertThat(well.found("memory")).contains("heap 512.0 MiB");
      assertThat(well.found("versions features")).contains("metadata.version=4.");
      assertThat(listed()).as("left in the bucket").noneMatch(key -> key.startsWith("well/probe/"));
      assertThat(well.exitCode())
          .as(well.all())
          .isEqualTo(List.of("OK", "WARN", "FAIL").indexOf(well.verdict()));
      assertThat(well.all()).doesNotContain(SECRET);
      broker.kill();
    }
    ailing(config, admin);
  }

  private static void topic(BrokerProcess broker) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin.createTopics(List.of(new NewTopic("some", 3, (short) 1))).all().get();
    }
  }

  /** All that can be wrong at once with a node that is gone. */
  private void ailing(Path config, String admin) throws Exception {
    Path readOnly = readOnly();
    try (WrongClock wrong = new WrongClock()) {
      Map<String, String> broken = new LinkedHashMap<>(properties(config));
      broken.put("log.dirs", broken.get("log.dirs") + "," + readOnly);
      broken.put("strandline.object.store", store("no-such-bucket-here", "well"));
      Said ill =
          doctor(
              config(broken),
              "--bootstrap-server",
              "127.0.0.1:" + Ports.free(),
              "--admin",
              wrong.address() + "," + admin);
      assertThat(ill.exitCode()).isEqualTo(2);
      assertThat(ill.verdict("disk " + broken.get("log.dirs").split(",", -1)[0]))
          .isNotEqualTo("FAIL");
      assertThat(ill.verdict("disk " + readOnly)).isEqualTo("FAIL");
      assertThat(ill.found("disk " + readOnly)).contains("cannot be written");
      assertThat(ill.verdict("bucket write")).isEqualTo("FAIL");
      assertThat(ill.found("bucket write")).contains("There is no such bucket");
      assertThat(ill.verdict("cluster")).isEqualTo("FAIL");
      assertThat(ill.verdict("health " + admin)).isEqualTo("FAIL");
      assertThat(ill.verdict("health " + wrong.address())).isEqualTo("FAIL");
      assertThat(ill.found("health " + wrong.address())).contains("disk space: full");
      assertThat(ill.verdict("clock " + wrong.address())).isEqualTo("FAIL");
      assertThat(ill.found("limits open files")).contains("no node runs here");
    } finally {
      run("umount", readOnly.toString());
    }
  }

  /** That is alive for the controllers still, and answers nobody. */
  @Test
  void aBrokerThatStandsStillHidesNothingOfTheOthers() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2)
            .set("broker.session.timeout.ms", "60000")
            .replicas(1, 1)
            .start()) {
      ClusterTopics.create(cluster, "some", Map.of(0, List.of(1), 1, List.of(2)), Map.of());
      Path impatient = dir.resolve("client.properties");
      Files.writeString(impatient, "default.api.timeout.ms=3000\nrequest.timeout.ms=1500\n");
      cluster.node(2).pause();
      Said said =
          Said.of(
              ToolProcess.run(
                  dir,
                  KEYS,
                  "doctor",
                  "--json",
                  "--bootstrap-server",
                  cluster.bootstrap(1),
                  "--client-config",
                  impatient.toString()));
      assertThat(said.exitCode()).isEqualTo(2);
      assertThat(said.verdict("partitions offline")).as(said.all()).isEqualTo("OK");
      assertThat(said.verdict("partitions under min ISR")).isEqualTo("OK");
      assertThat(said.found("partitions log directories")).contains("none failed on brokers [1]");
      assertThat(said.verdict("partitions log directories of broker 2")).isEqualTo("FAIL");
      cluster.node(2).resume();
    }
  }

  @Test
  void whatAPolicyRefusesIsNamed() throws Exception {
    Map<Fault, List<String>> expected =
        Map.of(
            Fault.SIGNATURE, List.of("bucket write", "FAIL", "secret does not fit"),
            Fault.NO_PUT, List.of("bucket write", "FAIL", "s3:PutObject"),
            Fault.NO_GET, List.of("bucket read", "FAIL", "s3:GetObject"),
            Fault.NO_LIST, List.of("bucket list", "FAIL", "s3:ListBucket"),
            Fault.NO_DELETE, List.of("bucket delete", "FAIL", "s3:DeleteObject"),
            Fault.NO_ABORT, List.of("bucket abort", "WARN", "s3:AbortMultipartUpload"),
            Fault.NO_CONDITIONS, List.of("bucket create once", "FAIL", "If-None-Match is ignored"));
    Path config =
        config(
            Map.of(
                "log.dirs", Files.createDirectory(dir.resolve("data")).toString(),
                "strandline.object.store", store(BUCKET, "policy")));
    for (Map.Entry<Fault, List<String>> fault : expected.entrySet()) {
      gate.fails(fault.getKey());
      Said said = Said.here(config);
      String check = fault.getValue().get(0);
      assertThat(said.verdict(check))
          .as("%s: %s", fault.getKey(), said.all())
          .isEqualTo(fault.getValue().get(1));
      assertThat(said.found(check)).as(fault.getKey().name()).contains(fault.getValue().get(2));
    }
  }

  /** Of a bucket that keeps versions. */
  @Test
  void whatToDeleteVersionsIsAskedOnlyOfWhoDeletesThem() throws Exception {
    String bucket = "kept" + System.nanoTime();
    try (S3AsyncClient sdk =
        S3AsyncClient.builder()
            .endpointOverride(URI.create(s3.endpoint()))
            .region(Region.US_EAST_1)
            .forcePathStyle(true)
            .build()) {
      sdk.createBucket(b -> b.bucket(bucket)).join();
      sdk.putBucketVersioning(
              b ->
                  b.bucket(bucket)
                      .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)))
          .join();
    }
    Map<String, String> warns =
        Map.of(
            "log.dirs", Files.createDirectory(dir.resolve("data")).toString(),
            "strandline.object.store", store(bucket, "policy"));
    Map<String, String> deletes = new LinkedHashMap<>(warns);
    deletes.put("strandline.scrub.versions", "delete");
    Path warned = config(warns);
    Path deleted = config(deletes);

    versions(Fault.NONE, warned, "WARN", "goes on costing");
    versions(Fault.NONE, deleted, "OK", "deleted by the brokers");
    versions(Fault.NO_VERSION_DELETE, warned, "WARN", "goes on costing");
    versions(Fault.NO_VERSION_DELETE, deleted, "WARN", "s3:DeleteObjectVersion is missing");
    versions(Fault.NO_VERSIONS, deleted, "WARN", "s3:ListBucketVersions is missing");
  }

  private static void versions(Fault fault, Path config, String verdict, String found)
      throws Exception {
    gate.fails(fault);
    Said said = Said.here(config);
    assertThat(said.verdict("bucket versions")).as("%s: %s", fault, said.all()).isEqualTo(verdict);
    assertThat(said.found("bucket versions")).as(fault.name()).contains(found);
  }

  // ---- what it needs

  private static String store(String bucket, String prefix) {
    return "s3://" + bucket + "/" + prefix + "?endpoint=" + gate.endpoint();
  }

  private Said doctor(Path config, String... more) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("doctor", "--json", "--config", "" + config));
    arguments.addAll(List.of(more));
    return Said.of(ToolProcess.run(dir, KEYS, arguments.toArray(String[]::new)));
  }

  private Path config(Map<String, String> values) throws IOException {
    Properties properties = new Properties();
    properties.putAll(values);
    Path file = Files.createTempFile(dir, "server", ".properties");
    try (OutputStream out = Files.newOutputStream(file)) {
      properties.store(out, null);
    }
    return file;
  }

  private static Map<String, String> properties(Path config) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(config)) {
      properties.load(in);
    }
    Map<String, String> values = new LinkedHashMap<>();
    properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
    return values;
  }

  private static List<String> listed() throws Exception {
    List<String> keys = new ArrayList<>();
    MinioClient client =
        MinioClient.builder()
            .endpoint(s3.endpoint())
            .region("us-east-1")
            .credentials("any", "any-secret")
            .build();
    for (var item :
        client.listObjects(ListObjectsArgs.builder().bucket(BUCKET).recursive(true).build())) {
      keys.add(item.get().objectName());
    }
    return keys;
  }

  /** A file system mounted read-only, or, for who may not mount, one that takes no files. */
  private Path readOnly() throws Exception {
    Path mount = Files.createDirectory(dir.resolve("read-only"));
    return run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", mount.toString()) == 0
        ? mount
        : Path.of("/proc/self");
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
