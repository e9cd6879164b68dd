package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * How {@code strandline-node} tells a controller that is new from one that lost its disk, and both
 * from one whose disk somebody restored.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ControllerClaimTest {
  private static final String VOTERS = "101@10.0.0.1:9093:x";
  private static final String CLAIM = "/bucket/controllers/c/101";

  @TempDir Path dir;
  private Host host;
  private Path data;

  @BeforeEach
  void boot() throws Exception {
    host = new Host(dir.resolve("host"));
    data = host.root.resolve("data");
    host.launcher(
        "case $1 in format) mkdir -p \"$STRANDLINE_DATA/data\";"
            + " touch \"$STRANDLINE_DATA/data/meta.properties\";; esac");
    host.set("PLATFORM", "host", "ROLE", "controller", "NODE_ID", "101", "DISK", "directory");
    host.set("ADDRESS", "10.0.0.1", "RACK", "", "VOTERS", VOTERS);
    host.set("CREDENTIALS", host.root.resolve("credentials").toString());
    host.set("CLAIMS_URL", "http://127.0.0.1:" + host.port() + "/bucket/controllers/c");
    key("key", "secret");
  }

  @AfterEach
  void shutDown() {
    host.close();
  }

  private void key(String id, String secret) throws Exception {
    Files.writeString(
        host.root.resolve("credentials"),
        "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = "
            + id
            + "\naws_secret_access_key="
            + secret
            + " \n[more]\naws_secret_access_key=no\n");
  }

  private void refused(String why) throws Exception {
    Commands.Ended ended = host.attempt("prepare");
    assertThat(ended.exitCode()).as(ended.output()).isNotZero();
    assertThat(ended.output()).contains(why);
    assertThat(data.resolve(".formatted")).doesNotExist();
  }

  @Test
  void aClaimWhoseAnswerWasLostIsItsOwn() throws Exception {
    host.loseAnswers(1);
    refused("can not be asked whether this controller is new");
    assertThat(host.stored()).containsOnlyKeys(CLAIM);
    host.run("prepare");
    assertThat(host.called("launcher format"))
        .hasSize(2)
        .allSatisfy(call -> assertThat(call).endsWith("-I " + VOTERS));
    assertThat(data.resolve(".formatted")).exists();
    // Who finds none of this on its disk has another one.
    assertThat(data.resolve(".claim")).doesNotExist();
    assertThat(data.resolve(".formatting")).doesNotExist();
  }

  @Test
  void theClaimOfAFormerSelfIsNot() throws Exception {
    host.stored().put(CLAIM, "10.0.0.1 of a disk that was lost\n");
    assertThat(host.run("prepare")).contains("joins the quorum anew");
    assertThat(host.called("launcher format")).last().asString().endsWith(" -N");
  }

  @Test
  void aClaimThatMayNotBeReadIsNobodys() throws Exception {
    host.stored().put(CLAIM, "10.0.0.1 somebody\n");
    host.unreadable();
    refused("let GET below controllers/");
    assertThat(host.called("launcher format")).noneMatch(call -> call.endsWith(" -N"));
  }

  @Test
  void aStoreThatRefusesKeepsANewControllerWaiting() throws Exception {
    key("wrong", "secret");
    refused("answers 403");
  }

  @Test
  void aCurlThatCanNotSignSaysSo() throws Exception {
    host.program("curl", "echo 'curl 7.81.0 (x86_64-pc-linux-gnu) libcurl/7.81.0'");
    refused("curl 7.81.0 can not sign");
    host.program(
        "curl",
        "case $1 in --version) echo 'curl 7.87.0 (x)';; *) exec /usr/bin/curl \"$@\";; esac");
    host.run("prepare");
    assertThat(host.stored()).containsOnlyKeys(CLAIM);
  }

  @Test
  void aKeyMayHaveAnyCharacters() throws Exception {
    String secret = "a=b/c+d\\e\"f=";
    key("key", secret);
    host.run(
        "call",
        "eval",
        "store_key | curl -s --config - http://127.0.0.1:" + host.port() + "/asked || true");
    assertThat(host.authorization("/asked"))
        .isEqualTo(
            "Basic "
                + Base64.getEncoder()
                    .encodeToString(("key:" + secret).getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void whatSomebodyRestoredIsKept() throws Exception {
    Path log = Files.createDirectories(data.resolve("data/__cluster_metadata-0")).resolve("log");
    Files.writeString(log, "restored");
    Files.writeString(data.resolve("data/meta.properties"), "version=1\n");
    assertThat(host.run("prepare")).contains("restored");
    host.run("prepare");
    assertThat(log).hasContent("restored");
    assertThat(host.called("launcher format")).isEmpty();
    assertThat(host.called("chown -R strandline:strandline " + data.resolve("data"))).hasSize(1);
    assertThat(host.stored()).as("its next empty disk is a lost one").containsOnlyKeys(CLAIM);
  }

  @Test
  void aFormatThatWasCutShortBeginsAnew() throws Exception {
    Path half = Files.createDirectories(data.resolve("data")).resolve("half");
    Files.writeString(half, "");
    Files.writeString(data.resolve(".formatting"), "");
    host.run("prepare");
    assertThat(half).doesNotExist();
    assertThat(host.called("launcher format")).hasSize(1);
  }

  @Test
  void whatIsNobodysIsLeftAlone() throws Exception {
    Path file = Files.createDirectories(data.resolve("data")).resolve("file");
    Files.writeString(file, "somebody's");
    refused("left alone");
    assertThat(file).exists();
  }
}
