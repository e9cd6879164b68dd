package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.broker.BrokerConfig;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code strandline-node} installs at a first boot, and what becomes of a boot that fails. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class NodeInstallTest {
  @TempDir Path dir;
  private Host host;

  @BeforeEach
  void boot() throws Exception {
    host = new Host(dir.resolve("host"));
    host.set("ROLE", "broker", "NODE_ID", "tag");
  }

  @AfterEach
  void shutDown() {
    host.close();
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
  void severalDisksWantMdadm() throws Exception {
    host.set("DISK", "instance-store");
    host.set("PACKAGES_DNF", "mdadm", "PACKAGES_APT", "mdadm");
    host.program("dnf", "");
    host.disks("nvme1n1", "nvme2n1");
    host.run("call", "install_packages");
    assertThat(host.called("dnf install")).as("where it is there").isEmpty();
    withoutMdadm();
    host.run("call", "install_packages");
    assertThat(host.called("dnf install")).containsExactly("dnf install -y -q mdadm");
    host.disks("nvme1n1");
    host.run("call", "install_packages");
    assertThat(host.called("dnf install")).as("one disk is striped with none").hasSize(1);
  }

  @Test
  void commandsOfAnotherKafkaStayOnThePath() throws Exception {
    host.set("DISTRIBUTION_URL", "file:///nowhere", "DISTRIBUTION_SHA256", "0".repeat(64));
    Path home = Files.createDirectories(host.root.resolve("opt/strandline-000000000000/bin"));
    for (String name : List.of("strandline", "kafka-a.sh", "kafka-b.sh", "kafka-c.sh")) {
      Files.writeString(home.resolve(name), "");
    }
    Path path = host.root.resolve("local");
    Path theirs = host.root.resolve("opt/kafka/bin/kafka-a.sh");
    Files.createSymbolicLink(path.resolve("kafka-a.sh"), theirs);
    Files.writeString(path.resolve("kafka-b.sh"), "theirs");
    Path ours = host.root.resolve("opt/strandline/bin");
    Files.createSymbolicLink(path.resolve("kafka-c.sh"), ours.resolve("kafka-c.sh"));
    for (int install = 0; install < 2; install++) {
      assertThat(host.run("call", "install_distribution"))
          .contains("kafka-a.sh is not ours", "kafka-b.sh is not ours")
          .doesNotContain("kafka-c.sh", "bin/strandline");
      assertThat(Files.readSymbolicLink(path.resolve("kafka-a.sh"))).isEqualTo(theirs);
      assertThat(path.resolve("kafka-b.sh")).hasContent("theirs");
      assertThat(Files.readSymbolicLink(path.resolve("kafka-c.sh")))
          .isEqualTo(ours.resolve("kafka-c.sh"));
      assertThat(Files.readSymbolicLink(path.resolve("strandline")))
          .isEqualTo(ours.resolve("strandline"));
    }
  }

  /** Whatever this machine has of it: the script asks by {@code command -v}. */
  private void withoutMdadm() throws Exception {
    Path told = host.root.resolve("told");
    Files.writeString(
        told, "command() { if [ \"$2\" = mdadm ]; then return 1; fi; builtin command \"$@\"; }\n");
    host.with("BASH_ENV", told.toString());
  }

  @Test
  void userDataInstallsADistributionThatIsWhatWasWanted() throws Exception {
    Terraform.require();
    Path tar = tar();
    String sha =
        HexFormat.of()
            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(tar)));
    Terraform terraform = Terraform.example("s3-compatible", dir.resolve("terraform"));
    Path left = Files.createDirectories(host.root.resolve("opt/.strandline.abcdef"));
    Commands.Ended refused = install(terraform, tar, "0".repeat(64));
    assertThat(left).as("what a try that was cut short has left").doesNotExist();
    assertThat(refused.exitCode()).isNotZero();
    assertThat(refused.output()).contains("is not what was wanted", "systemd tries again");
    assertThat(host.root.resolve("opt/strandline")).doesNotExist();
    assertThat(host.called("systemctl"))
        .containsExactly(
            "systemctl daemon-reload",
            "systemctl enable --now --no-block strandline-install.service");
    assertThat(host.file("units/strandline-install.service"))
        .contains("ExecStart=/usr/local/sbin/strandline-node install\n", "Restart=on-failure\n")
        .as("a tar of another SHA-256 is not fetched each minute for ever")
        .contains("RestartSec=300\n");

    Commands.Ended installed = install(terraform, tar, sha);
    assertThat(installed.exitCode()).as(installed.output()).isZero();
    assertThat(host.root.resolve("opt/strandline/bin/strandline")).isExecutable();
    assertThat(host.root.resolve("local/strandline")).as("on the PATH").isExecutable();
    assertThat(host.file("units/strandline.service")).contains("ExecStart=");
    assertThat(host.file("units/strandline.service.d/node.conf"))
        .contains("strandline-node prepare");
    assertThat(host.file("units/strandline-agent.service"))
        .as("one that has seen its node to its end does not do so again")
        .contains("Restart=on-failure\n");
    assertThat(host.called("systemctl enable --now --no-block strandline-agent")).hasSize(1);
    assertThat(host.called("systemctl restart --no-block strandline-agent")).hasSize(1);
    assertThat(host.called("systemctl restart --no-block strandline.service")).isEmpty();
    // It was what tried again.
    assertThat(host.called("systemctl disable strandline-install.service")).hasSize(1);
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
}
