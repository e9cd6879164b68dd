package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.broker.observe.Catalogue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
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

  @Test
  void aBrokerWithAnEmptyDiskIsFormattedAsTheOneItIs() throws Exception {
    host.disks("nvme1n1");
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
        .contains("STRANDLINE_HEAP=4096m")
        .contains("STRANDLINE_DIRECT=2304m\nSTRANDLINE_JAVA_OPTS=\"-Dx=y\"");
  }

  @Test
  void aNodeIsConfiguredForToolsWithoutAFormat() throws Exception {
    host.disks("nvme1n1");
    host.run("configure");
    assertThat(host.file("etc/server.properties")).startsWith("node.id=7\n");
    assertThat(host.called("mount ")).hasSize(1);
    assertThat(host.called("launcher")).isEmpty();
  }

  @Test
  void aRestartFormatsNothing() throws Exception {
    host.disks("nvme1n1");
    host.run("prepare");
    host.program("mountpoint", "");
    host.run("prepare");
    assertThat(host.called("mkfs.xfs")).hasSize(1);
    assertThat(host.called("mount ")).hasSize(1);
    assertThat(host.called("launcher format")).hasSize(1);
  }

  @Test
  void aRebootFindsItsFileSystemAgain() throws Exception {
    host.disks("nvme1n1");
    host.program("blkid", "case $* in *TYPE*) echo xfs;; *LABEL*) echo strandline;; esac");
    host.run("prepare");
    assertThat(host.called("mkfs.xfs")).isEmpty();
    assertThat(host.called("mount ")).hasSize(1);
  }

  @Test
  void aDiskOfSomebodyElseIsLeftAlone() throws Exception {
    host.disks("nvme1n1");
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
    host.disks("nvme1n1", "nvme2n1");
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
    host.disks();
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
  void aSecretThatCanNotBeFetchedIsTheOneOfTheLastStart() throws Exception {
    host.set("DISK", "directory", "SECRETS", "admin.properties=arn:one");
    host.program("aws", "echo one");
    host.run("prepare");
    host.program("aws", "exit 255");
    assertThat(host.run("prepare")).contains("admin.properties can not be fetched");
    assertThat(host.file("etc/secrets/admin.properties")).isEqualTo("one\n");
  }

  @Test
  void aSecretThatWasNeverFetchedIsWaitedFor() throws Exception {
    host.set("DISK", "directory", "SECRETS", "admin.properties=arn:one");
    host.program("aws", "exit 255");
    Commands.Ended ended = host.attempt("prepare");
    assertThat(ended.exitCode()).isNotZero();
    assertThat(ended.output()).contains("admin.properties can not be fetched");
    assertThat(host.called("launcher")).isEmpty();
  }

  @Test
  void moreThanTheMachineHoldsIsCut() throws Exception {
    host.set("ROLE", "replay", "DISK", "directory", "DIRECT_MB", "6144");
    host.properties(
        "strandline.cache.memory.bytes=4294967296\nstrandline.cache.disk.bytes=214748364800\n");
    host.program("df", "printf 'Filesystem 1024-blocks\\n/dev/x 104857600\\n'");
    host.memory(8192);
    assertThat(host.run("prepare")).contains("memory for history", "disk for history");
    assertThat(host.file("default"))
        .contains("STRANDLINE_HEAP=2048m\n", "STRANDLINE_DIRECT=4096m\n");
    // What is not for buffers, a GiB, with a fifth for what is on its way; four fifths of the disk.
    assertThat(host.file("etc/server.properties"))
        .isEqualTo(
            "strandline.cache.memory.bytes="
                + (3072L << 20) * 4 / 5
                + "\nstrandline.cache.disk.bytes="
                + (100L << 30) / 100 * 80
                + "\n");

    host.memory(16384);
    host.program("df", "printf 'Filesystem 1024-blocks\\n/dev/x 419430400\\n'");
    assertThat(host.run("prepare")).doesNotContain("for history");
    assertThat(host.file("default"))
        .contains("STRANDLINE_HEAP=4096m\n", "STRANDLINE_DIRECT=6144m\n");
    assertThat(host.file("etc/server.properties")).contains("=4294967296\n", "=214748364800\n");
  }

  @Test
  void aHeapThatIsToldLeavesTheRestWhatThereIs() throws Exception {
    host.set("DISK", "directory", "HEAP", "3g", "DIRECT_MB", "2304");
    host.properties("strandline.cache.memory.bytes=1073741824\n");
    host.memory(4096);
    host.run("prepare");
    assertThat(host.file("default"))
        .contains("STRANDLINE_HEAP=3072m\n", "STRANDLINE_DIRECT=256m\n");
    assertThat(host.file("etc/server.properties"))
        .isEqualTo("strandline.cache.memory.bytes=" + (128L << 20) * 4 / 5 + "\n");
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
    JsonNode data = published().get(0);
    assertThat(values(data))
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

  private List<JsonNode> published() throws Exception {
    List<JsonNode> all = new ArrayList<>();
    for (String call : host.called("aws cloudwatch put-metric-data")) {
      all.add(new ObjectMapper().readTree(call.substring(call.indexOf("--metric-data ") + 14)));
    }
    return all;
  }

  private static Map<String, Double> values(JsonNode data) {
    Map<String, Double> values = new TreeMap<>();
    data.forEach(one -> values.put(one.get("MetricName").asText(), one.get("Value").asDouble()));
    return values;
  }

  /** The clock is the script's own, and goes on while something is done: bash lets it be set. */
  @Test
  void everyMinuteHasSomethingOfANode() throws Exception {
    String clock =
        "notices() { SECONDS=$((SECONDS + 1)); }; watch_health() { SECONDS=$((SECONDS + 1)); };"
            + " sleep() { SECONDS=$((SECONDS + $1)); };"
            + " publish() { SECONDS=$((SECONDS + 2)); echo at $SECONDS;"
            + " if [ $SECONDS -gt 3600 ]; then exit 0; fi; };";
    host.set("PUBLISH", "true");
    List<Integer> at =
        host.run("call", "eval", clock + " agent")
            .lines()
            .map(line -> Integer.parseInt(line.substring("at ".length())))
            .toList();
    assertThat(at).hasSizeBetween(60, 90);
    for (int i = 1; i < at.size(); i++) {
      assertThat(at.get(i) - at.get(i - 1)).as("seconds between two: %s", at).isLessThan(60);
    }
  }

  /** The leader that is known is the last one there was, also when all controllers are dead. */
  @Test
  void aQuorumThatCommitsNothingIsNone() throws Exception {
    host.admin("/readyz", "{}");
    String metrics = "strandline_quorum_leader 3.0\n";
    host.admin("/first", metrics + "strandline_quorum_committed_offset 9.99998E7\n");
    host.admin("/second", metrics + "strandline_quorum_committed_offset 1.0000023E8\n");
    host.admin("/restarted", metrics);
    host.admin("/early", metrics + "strandline_quorum_committed_offset -1.0\n");
    String looks = "admin() { curl -s \"http://127.0.0.1:$ADMIN_PORT/$now\"; }; identify;";
    for (String now :
        List.of("first", "first", "second", "restarted", "early", "second", "second")) {
      looks += " now=" + now + "; publish;";
    }
    host.run("call", "eval", looks);
    assertThat(published().stream().map(data -> values(data).get("QuorumLeaderUnknown")))
        .containsExactly(0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0);
    assertThat(values(published().get(0))).containsOnlyKeys("Ready", "QuorumLeaderUnknown");

    host.properties("metadata.max.idle.interval.ms=0\n");
    host.run("call", "eval", looks);
    assertThat(published().stream().skip(7))
        .as("where an idle quorum commits nothing")
        .allSatisfy(data -> assertThat(values(data)).containsEntry("QuorumLeaderUnknown", 0.0));
  }
}
