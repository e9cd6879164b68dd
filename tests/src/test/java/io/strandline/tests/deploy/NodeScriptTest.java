package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.broker.BrokerConfig;
import io.strandline.broker.observe.Catalogue;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code strandline-node}, what hosts on AWS and elsewhere do at boot, on a host whose disks,
 * services and cloud are programs that write down their calls.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class NodeScriptTest {
  private static final String NVME = "Amazon EC2 NVMe Instance Storage";

  @TempDir Path dir;
  private Host host;

  @BeforeEach
  void boot() throws Exception {
    host = new Host(dir.resolve("host"));
    host.launcher(
        "case $1 in format) mkdir -p \"$STRANDLINE_DATA/data\";"
            + " touch \"$STRANDLINE_DATA/data/meta.properties\";; esac");
    broker();
  }

  @AfterEach
  void shutDown() {
    host.close();
  }

  private void broker() {
    host.set("ROLE", "broker", "NODE_ID", "tag", "DISK", "instance-store");
  }

  private void disks(String... names) throws Exception {
    StringBuilder lines = new StringBuilder("cat << END\n/dev/root Amazon Elastic Block Store\n");
    for (String name : names) {
      Path device = host.root.resolve("dev").resolve(name);
      Files.writeString(device, "");
      lines.append(device).append(' ').append(NVME).append('\n');
    }
    host.program("lsblk", lines + "END");
  }

  @Test
  void aBrokerWithAnEmptyDiskIsFormattedAsTheOneItIs() throws Exception {
    disks("nvme1n1");
    host.run("prepare");
    Path device = host.root.resolve("dev/nvme1n1");
    assertThat(host.called("mkfs.xfs")).hasSize(1).first().asString().endsWith(device.toString());
    assertThat(host.called("mount "))
        .hasSize(1)
        .first()
        .asString()
        .endsWith(device + " " + host.root.resolve("data"));
    assertThat(host.file("etc/server.properties"))
        .isEqualTo("node.id=7\nbroker.rack=zone-b\nadvertised.listeners=X://10.1.2.3:1\n");
    assertThat(host.called("launcher format")).hasSize(1);
    assertThat(host.file("default"))
        .containsPattern("STRANDLINE_HEAP=\\d+m")
        .contains("STRANDLINE_JAVA_OPTS=\"-Dx=y\"");
  }

  @Test
  void aNodeIsConfiguredForToolsWithoutAFormat() throws Exception {
    disks("nvme1n1");
    host.run("configure");
    assertThat(host.file("etc/server.properties")).startsWith("node.id=7\n");
    assertThat(host.called("mount ")).hasSize(1);
    assertThat(host.called("launcher")).isEmpty();
  }

  @Test
  void aRestartFormatsNothing() throws Exception {
    disks("nvme1n1");
    host.run("prepare");
    host.program("mountpoint", "");
    host.run("prepare");
    assertThat(host.called("mkfs.xfs")).hasSize(1);
    assertThat(host.called("mount ")).hasSize(1);
    assertThat(host.called("launcher format")).hasSize(1);
  }

  @Test
  void aRebootFindsItsFileSystemAgain() throws Exception {
    disks("nvme1n1");
    host.program("blkid", "case $* in *TYPE*) echo xfs;; *LABEL*) echo strandline;; esac");
    host.run("prepare");
    assertThat(host.called("mkfs.xfs")).isEmpty();
    assertThat(host.called("mount ")).hasSize(1);
  }

  @Test
  void aDiskOfSomebodyElseIsLeftAlone() throws Exception {
    disks("nvme1n1");
    for (String other : List.of("TYPE*) echo ext4", "TYPE*) echo xfs;; *LABEL*) echo theirs")) {
      host.program("blkid", "case $* in *" + other + ";; esac");
      Commands.Ended ended = host.attempt("prepare");
      assertThat(ended.exitCode()).isNotZero();
      assertThat(ended.output()).contains("left alone");
    }
    assertThat(host.called("mkfs.xfs")).isEmpty();
    assertThat(host.called("mount ")).isEmpty();
    assertThat(host.called("launcher")).isEmpty();
  }

  @Test
  void severalDisksAreStriped() throws Exception {
    disks("nvme1n1", "nvme2n1");
    host.program("mdadm", "case $1 in --assemble) exit 1;; esac");
    // The device appears where no test can put it.
    Commands.Ended ended = host.attempt("call", "instance_store");
    assertThat(ended.output()).contains("/dev/md/strandline");
    assertThat(host.called("mdadm --create"))
        .hasSize(1)
        .first()
        .asString()
        .contains("--level=0", "--raid-devices=2", "nvme1n1", "nvme2n1")
        .doesNotContain("/dev/root");
  }

  @Test
  void anInstanceWithoutDisksSaysSo() throws Exception {
    disks();
    Commands.Ended ended = host.attempt("prepare");
    assertThat(ended.exitCode()).isNotZero();
    assertThat(ended.output()).contains("no NVMe of its own");
    assertThat(host.called("mount ")).isEmpty();
  }

  @Test
  void aReplayBrokerIsItsAddress() throws Exception {
    host.set("ROLE", "replay", "NODE_ID", "address", "DISK", "directory");
    host.run("prepare");
    int id = 1_000_000 + (1 << 16) + (2 << 8) + 3;
    assertThat(host.file("etc/server.properties")).startsWith("node.id=" + id + "\n");
  }

  @Test
  void secretsBecomeFiles() throws Exception {
    host.set("DISK", "directory", "SECRETS", "admin.properties=arn:one server.pem=arn:two");
    host.program("aws", "case $* in *arn:one*) echo one;; *arn:two*) echo two;; esac");
    host.run("prepare");
    assertThat(host.file("etc/secrets/admin.properties")).isEqualTo("one\n");
    assertThat(host.file("etc/secrets/server.pem")).isEqualTo("two\n");
    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(host.root.resolve("etc/secrets/server.pem"))))
        .isEqualTo("rw-r-----");
  }

  @Test
  void aSecretThatCanNotBeFetchedLeavesTheOneOfTheLastStart() throws Exception {
    host.set("DISK", "directory", "SECRETS", "admin.properties=arn:one");
    host.program("aws", "echo one");
    host.run("prepare");
    host.program("aws", "exit 255");
    Commands.Ended ended = host.attempt("prepare");
    assertThat(ended.exitCode()).isNotZero();
    assertThat(ended.output()).contains("admin.properties can not be fetched");
    assertThat(host.file("etc/secrets/admin.properties")).isEqualTo("one\n");
  }

  @Test
  void anOldJavaIsSaidToBeOne() throws Exception {
    host.set("DISK", "directory");
    for (String version : List.of("1.8.0_402", "11.0.22")) {
      host.java(version);
      Commands.Ended ended = host.attempt("prepare");
      assertThat(ended.exitCode()).isNotZero();
      assertThat(ended.output()).contains("install 17 or newer");
    }
    assertThat(host.called("launcher")).isEmpty();
    host.java("17");
    host.run("prepare");
    assertThat(host.called("launcher format")).hasSize(1);
  }

  @Test
  void theFirstJavaThatAReleaseHasIsInstalled() throws Exception {
    host.java("11.0.22");
    host.set("PACKAGES_DNF", "java-21|java-17 xfsprogs", "PACKAGES_APT", "jre-21|jre-17 curl");
    host.program("dnf", "case $* in *'list java-21') exit 1;; esac");
    host.run("call", "install_packages");
    assertThat(host.called("dnf install")).containsExactly("dnf install -y -q java-17 xfsprogs");
    host.java("17.0.1");
    host.run("call", "install_packages");
    assertThat(host.called("dnf install")).as("where Java is new enough").hasSize(1);
  }

  @Test
  void theFirstJavaThatAReleaseHasIsInstalledByAptToo() throws Exception {
    assumeFalse(Commands.exists("dnf"), "SKIPPED: a machine with dnf");
    host.java("11.0.22");
    host.set("PACKAGES_APT", "jre-21|jre-17 curl");
    host.program("apt-cache", "case $* in *jre-21) exit 100;; esac");
    host.program("apt-get", "");
    host.run("call", "install_packages");
    assertThat(host.called("apt-get install")).singleElement().asString().endsWith(" jre-17 curl");
  }

  @Test
  void everyMetricThatIsPublishedIsOneOfOurs() throws Exception {
    String script = Files.readString(Host.SCRIPT);
    List<String> named =
        Pattern.compile("\"(strandline_\\w+)\"")
            .matcher(script)
            .results()
            .map(m -> m.group(1))
            .toList();
    assertThat(named).hasSizeGreaterThan(8);
    assertThat(Catalogue.entries().stream().map(Catalogue.Entry::name).toList()).containsAll(named);
  }

  @Test
  void aControllerThatLostItsDiskDoesNotVoteWithAnEmptyOne() throws Exception {
    Distribution distribution = Distribution.unpack(Files.createDirectory(dir.resolve("dist")));
    host.launcher("exec '" + distribution.launcher() + "' \"$@\"");
    Path data = host.root.resolve("data");
    String voters = "101@10.0.0.1:9093:" + Uuid.randomUuid();
    host.set("PLATFORM", "host", "ROLE", "controller", "NODE_ID", "101", "DISK", "directory");
    host.set("ADDRESS", "10.0.0.1", "RACK", "", "VOTERS", voters);
    host.set("CREDENTIALS", host.root.resolve("credentials").toString());
    host.set("CLAIMS_URL", "http://127.0.0.1:" + host.port() + "/bucket/controllers/c");
    host.properties(
        """
        process.roles=controller
        node.id=@NODE_ID@
        listeners=CONTROLLER://@ADDRESS@:9093
        controller.listener.names=CONTROLLER
        controller.quorum.bootstrap.servers=10.0.0.1:9093
        log.dirs=%s/data
        """
            .formatted(data));

    Commands.Ended early = host.attempt("prepare");
    assertThat(early.exitCode()).isNotZero();
    assertThat(early.output()).contains("put the object store's key there");

    Files.writeString(
        host.root.resolve("credentials"),
        "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n");
    host.run("prepare");
    assertThat(host.stored()).containsOnlyKeys("/bucket/controllers/c/101");
    assertThat(checkpoint(data)).as("voters at the beginning").exists();
    String first = Files.readString(data.resolve("data/meta.properties"));

    host.run("prepare");
    assertThat(Files.readString(data.resolve("data/meta.properties"))).isEqualTo(first);

    Commands.run(dir, List.of("rm", "-rf", data.toString()));
    assertThat(host.run("prepare")).contains("joins the quorum anew");
    assertThat(data.resolve("data/meta.properties")).exists();
    assertThat(checkpoint(data)).as("voters at the beginning").doesNotExist();
    assertThat(host.called("launcher format"))
        .last()
        .asString()
        .endsWith(" -N")
        .doesNotContain(voters);
  }

  /** The first records of a quorum that begins, the voters among them. */
  private static Path checkpoint(Path data) {
    return data.resolve("data/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint");
  }

  @Test
  void whatGoesForGoodIsDrainedFirst() throws Exception {
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    host.program("aws", "case $* in *describe-auto-scaling-groups*) echo 0;; esac");
    brokers("");
    host.run("agent");
    List<String> calls = Files.readAllLines(host.calls());
    int drained = indexOf(calls, "launcher balance --drain 7 --execute");
    int stopped = indexOf(calls, "systemctl stop strandline.service");
    int told = indexOf(calls, "aws autoscaling complete-lifecycle-action");
    assertThat(drained).isNotNegative().isLessThan(stopped);
    assertThat(stopped).isLessThan(told);
    assertThat(calls.get(drained)).contains("--bootstrap 10.1.2.3:9091");
    assertThat(indexOf(calls, "launcher brokers unregister 7")).isBetween(stopped, told);
    assertThat(calls.get(told)).contains("--auto-scaling-group-name orders-broker-7", "i-1");
  }

  /** A launcher whose cluster has brokers 7 (this one), 8, 9 and a replay broker. */
  private void brokers(String more) throws Exception {
    host.launcher(
        "case $* in 'brokers list'*) printf '%s\\n' '1000009 10.9.0.9:9094 a alive'"
            + " '7 10.1.2.3:9094 zone-b alive' '8 10.1.2.8:9094 - fenced' '9 10.1.2.9:9094 a alive';;"
            + more
            + " esac");
  }

  @Test
  void aReplayBrokerThatGoesIsTakenOutOfTheMetadata() throws Exception {
    brokers("");
    host.set("ROLE", "replay", "NODE_ID", "7");
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    host.run("agent");
    List<String> calls = Files.readAllLines(host.calls());
    int asked = indexOf(calls, "launcher brokers list --bootstrap 10.1.2.3:9094");
    int stopped = indexOf(calls, "systemctl stop strandline.service");
    int out = indexOf(calls, "launcher brokers unregister 7 --bootstrap 10.1.2.9:9091");
    int told = indexOf(calls, "aws autoscaling complete-lifecycle-action");
    assertThat(asked).isNotNegative().isLessThan(stopped);
    assertThat(stopped).isLessThan(out);
    assertThat(out).isLessThan(told);
    assertThat(host.called("launcher brokers unregister")).hasSize(1);
    assertThat(host.called("launcher balance")).isEmpty();
  }

  @Test
  void aRegistrationThatStaysKeepsNobodyWaiting() throws Exception {
    brokers(" 'brokers unregister'*) exit 1;;");
    host.set("ROLE", "replay", "NODE_ID", "7");
    host.metadata("spot/instance-action", "{\"action\":\"terminate\"}");
    assertThat(host.run("agent")).contains("still registered");
    assertThat(host.called("systemctl stop strandline.service")).hasSize(1);
    assertThat(host.called("launcher brokers unregister")).hasSize(2);
  }

  @Test
  void whatIsReplacedIsStoppedInOrderAndNotDrained() throws Exception {
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    host.program("aws", "case $* in *describe-auto-scaling-groups*) echo 1;; esac");
    host.run("agent");
    assertThat(host.called("launcher")).isEmpty();
    assertThat(host.called("systemctl stop strandline.service")).hasSize(1);
    assertThat(host.called("aws autoscaling complete-lifecycle-action")).hasSize(1);
  }

  @Test
  void aSpotNoticeStopsInOrder() throws Exception {
    host.metadata("spot/instance-action", "{\"action\":\"terminate\"}");
    host.run("agent");
    assertThat(host.called("systemctl stop strandline.service")).hasSize(1);
    assertThat(host.called("launcher balance")).isEmpty();
  }

  @Test
  void whatAlarmsAreMadeOfIsPublished() throws Exception {
    host.set("PUBLISH", "true");
    host.admin("/readyz", "{}");
    host.admin(
        "/metrics",
        """
        # TYPE strandline_store_away gauge
        strandline_store_away{lane="read"} 0.0
        strandline_store_away{lane="write"} 1.0
        strandline_partition_under_min_isr 2.0
        strandline_partition_under_replicated 12.0
        strandline_tiering_lag_age_seconds 1.5E9
        strandline_scrub_findings{kind="a"} NaN
        strandline_disk_state{path="/x"} 0.0
        strandline_quorum_leader -1.0
        strandline_controller_partitions_offline 3.0
        strandline_log_directories_offline 1.0
        """);
    host.run("call", "eval", "identify; publish");
    String call = host.called("aws cloudwatch put-metric-data").get(0);
    JsonNode data =
        new ObjectMapper().readTree(call.substring(call.indexOf("--metric-data ") + 14));
    Map<String, Double> values = new java.util.TreeMap<>();
    data.forEach(one -> values.put(one.get("MetricName").asText(), one.get("Value").asDouble()));
    assertThat(values)
        .containsOnly(
            Map.entry("Ready", 1.0),
            Map.entry("StoreAway", 1.0),
            Map.entry("UnderMinIsrPartitions", 2.0),
            Map.entry("UnderReplicatedPartitions", 12.0),
            Map.entry("TierLagAgeSeconds", 1.5e9),
            Map.entry("DiskState", 0.0),
            Map.entry("OfflinePartitions", 3.0),
            Map.entry("OfflineLogDirectories", 1.0),
            Map.entry("QuorumLeaderUnknown", 1.0));
    assertThat(data.get(0).get("Dimensions").get(1).get("Value").asText()).isEqualTo("broker");
  }

  @Test
  void userDataInstallsADistributionThatIsWhatWasWanted() throws Exception {
    Terraform.require();
    Path tar = tar();
    String sha =
        HexFormat.of()
            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(tar)));
    Terraform terraform = Terraform.example("s3-compatible", dir.resolve("terraform"));
    assertThat(install(terraform, tar, "0".repeat(64)).exitCode()).isNotZero();
    assertThat(host.root.resolve("opt/strandline")).doesNotExist();
    assertThat(host.called("systemctl")).isEmpty();

    Commands.Ended installed = install(terraform, tar, sha);
    assertThat(installed.exitCode()).as(installed.output()).isZero();
    assertThat(host.root.resolve("opt/strandline/bin/strandline")).isExecutable();
    assertThat(host.root.resolve("local/strandline")).as("on the PATH").isExecutable();
    assertThat(host.file("units/strandline.service")).contains("ExecStart=");
    assertThat(host.file("units/strandline.service.d/node.conf"))
        .contains("strandline-node prepare");
    assertThat(host.called("systemctl enable")).hasSize(1);
    assertThat(host.file("etc/server.properties.in"))
        .contains("strandline.object.store=s3://strandline/orders?");
    settingsOfEachRoleAreKnown(new ObjectMapper().readTree(terraform.json("user_data")));
  }

  private void settingsOfEachRoleAreKnown(JsonNode userData) throws Exception {
    for (String id : List.of("1", "101", "1001")) {
      Matcher written =
          Pattern.compile("gunzip > /etc/strandline/server.properties.in\n(\\S+)\nEND")
              .matcher(userData.get(id).asText());
      assertThat(written.find()).as("settings of node %s", id).isTrue();
      Path file = dir.resolve("server.properties");
      try (InputStream text =
          new GZIPInputStream(
              new ByteArrayInputStream(Base64.getDecoder().decode(written.group(1))))) {
        Files.writeString(
            file,
            new String(text.readAllBytes(), StandardCharsets.UTF_8)
                .replace("@NODE_ID@", id)
                .replace("@ADDRESS@", "10.1.0.1")
                .replace("@RACK@", "a"));
      }
      BrokerConfig config = BrokerConfig.load(Optional.of(file), Map.of(), Map.of());
      assertThat(config.unknown()).as("node %s", id).isEmpty();
      assertThat(config.control().parse().nodeId()).isEqualTo(Integer.parseInt(id));
    }
  }

  /** A small one, of the same shape as the real. */
  private Path tar() throws Exception {
    Path home = Files.createDirectories(dir.resolve("tar/strandline-1/bin"));
    Files.copy(Distribution.ROOT.resolve("bin/strandline"), home.resolve("strandline"));
    Files.createDirectories(dir.resolve("tar/strandline-1/etc"));
    Files.copy(
        Distribution.ROOT.resolve("etc/strandline.service"),
        dir.resolve("tar/strandline-1/etc/strandline.service"));
    Path tar = dir.resolve("strandline.tar.gz");
    Commands.Ended packed =
        Commands.run(
            dir,
            List.of(
                "tar",
                "-czf",
                tar.toString(),
                "-C",
                dir.resolve("tar").toString(),
                "strandline-1"));
    assertThat(packed.exitCode()).as(packed.output()).isZero();
    return tar;
  }

  /** Runs the user data of broker 1, with this host's directories in the place of the root's. */
  private Commands.Ended install(Terraform terraform, Path tar, String sha) throws Exception {
    Commands.run(dir, List.of("rm", "-rf", host.root.resolve("opt/strandline").toString()));
    terraform.set("distribution", "{\"url\":\"file://" + tar + "\",\"sha256\":\"" + sha + "\"}");
    terraform.apply();
    String script =
        new ObjectMapper()
            .readTree(terraform.json("user_data"))
            .get("1")
            .asText()
            .replace(" /usr/local/sbin/", " " + host.root + "/bin/")
            .replace(" /etc/strandline/", " " + host.root + "/etc/");
    Path file = dir.resolve("user-data.sh");
    Files.writeString(file, script);
    return Commands.run(dir, host.environment(), List.of("bash", file.toString()));
  }

  private static int indexOf(List<String> calls, String prefix) {
    for (int i = 0; i < calls.size(); i++) {
      if (calls.get(i).startsWith(prefix)) {
        return i;
      }
    }
    return -1;
  }
}
