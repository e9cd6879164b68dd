package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What {@code strandline-node} does when a broker goes: for good, to be replaced, or on notice. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class NodeEndTest {
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

  /** The one listener that it has is the one by which others know of it. */
  private void replay() {
    host.set("ROLE", "replay", "NODE_ID", "7", "OWN_PORT", "9094");
  }

  @Test
  void aReplayBrokerThatGoesIsTakenOutOfTheMetadata() throws Exception {
    brokers("");
    replay();
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    host.run("agent");
    List<String> calls = Files.readAllLines(host.calls());
    int asked = indexOf(calls, "launcher brokers list --bootstrap 10.1.2.3:9094");
    int stopped = indexOf(calls, "systemctl stop strandline.service");
    int out = indexOf(calls, "launcher brokers unregister 7 --bootstrap 10.1.2.9:9094");
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
    replay();
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
    assertThat(host.called("systemctl kill")).isEmpty();
    assertThat(host.called("launcher balance")).isEmpty();
  }

  /** Two minutes of notice are less than the five that a handover may take. */
  @Test
  void aStopThatTakesItsTimeIsHurriedOnASpotNotice() throws Exception {
    brokers("");
    host.program(
        "timeout",
        "case $* in '30 systemctl stop'*) shift; \"$@\"; exit 124;; esac; shift; exec \"$@\"");
    host.metadata("spot/instance-action", "{\"action\":\"terminate\"}");
    replay();
    host.run("agent");
    assertThat(host.called("systemctl "))
        .containsExactly(
            "systemctl stop strandline.service",
            "systemctl kill strandline.service",
            "systemctl stop strandline.service",
            "systemctl is-active strandline.service");
    List<String> calls = Files.readAllLines(host.calls());
    assertThat(indexOf(calls, "launcher brokers unregister 7"))
        .isGreaterThan(indexOf(calls, "systemctl kill"));
  }

  @Test
  void aNodeThatIsStartedAnewAndDoesNotStopIsHurried() throws Exception {
    String minutes = "status() { echo 503; }; for i in 1 2 3 4 5; do watch_health; done";
    host.program("systemctl", "case $1 in is-active) echo deactivating; exit 3;; esac");
    host.run("call", "eval", minutes);
    assertThat(host.called("systemctl "))
        .containsExactly(
            "systemctl restart --no-block strandline.service",
            "systemctl is-active strandline.service",
            "systemctl kill strandline.service");
    host.program("systemctl", "case $1 in is-active) echo active;; esac");
    host.run("call", "eval", minutes);
    assertThat(host.called("systemctl restart")).hasSize(2);
    assertThat(host.called("systemctl kill")).as("of one that has come anew").hasSize(1);
  }

  @Test
  void anAnswerOfTheGroupIsWaitedFor() throws Exception {
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    Path refused = host.root.resolve("refused");
    host.program(
        "aws",
        "case $* in *describe-auto-scaling-groups*) echo x >> '"
            + refused
            + "'; [ $(wc -l < '"
            + refused
            + "') -gt 3 ] || exit 254; echo 0;; esac");
    brokers("");
    host.run("agent");
    assertThat(host.called("launcher balance --drain 7")).hasSize(1);
    assertThat(host.called("aws autoscaling describe-auto-scaling-groups")).hasSize(4);
  }

  @Test
  void aGroupThatNeverAnswersIsTakenForAReplacement() throws Exception {
    host.metadata("autoscaling/target-lifecycle-state", "Terminated");
    host.program("aws", "case $* in *describe-auto-scaling-groups*) exit 254;; esac");
    assertThat(host.run("agent")).contains("can not be asked whether it shrinks");
    assertThat(host.called("launcher")).isEmpty();
    assertThat(host.called("systemctl stop strandline.service")).hasSize(1);
    assertThat(host.called("aws autoscaling complete-lifecycle-action")).hasSize(1);
  }

  @Test
  void aDrainTakesTheBrokerOutOfTheMetadata() throws Exception {
    brokers("");
    host.set("PLATFORM", "host", "ADDRESS", "10.1.2.3", "RACK", "a", "NODE_ID", "7");
    assertThat(host.run("drain")).contains("broker 7 holds nothing and is stopped");
    List<String> calls = Files.readAllLines(host.calls());
    int drained = indexOf(calls, "launcher balance --drain 7 --execute");
    int stopped = indexOf(calls, "systemctl stop strandline.service");
    assertThat(drained).isNotNegative().isLessThan(stopped);
    assertThat(indexOf(calls, "launcher brokers unregister 7 --bootstrap 10.1.2.9:9091"))
        .isGreaterThan(stopped);
    assertThat(host.called("systemctl disable strandline.service")).hasSize(1);
  }

  @Test
  void aReplayBrokerIsTakenAwayByHandAsWell() throws Exception {
    brokers("");
    replay();
    host.set("PLATFORM", "host", "ADDRESS", "10.1.2.3", "RACK", "a");
    assertThat(host.run("drain")).contains("broker 7 holds nothing and is stopped");
    List<String> calls = Files.readAllLines(host.calls());
    int stopped = indexOf(calls, "systemctl stop strandline.service");
    assertThat(stopped).isNotNegative();
    assertThat(indexOf(calls, "launcher brokers unregister 7 --bootstrap 10.1.2.9:9094"))
        .isGreaterThan(stopped);
    assertThat(host.called("systemctl disable strandline.service")).hasSize(1);
    assertThat(host.called("launcher balance")).as("it has no replicas").isEmpty();

    host.set("ROLE", "controller");
    assertThat(host.attempt("drain").output()).contains("a controller has no replicas");
    assertThat(host.called("systemctl stop strandline.service")).hasSize(1);
  }

  @Test
  void aDrainThatDoesNotComeToItsEndSaysSo() throws Exception {
    brokers(" 'brokers unregister'*) exit 1;;");
    Commands.Ended left = host.attempt("drain");
    assertThat(left.exitCode()).isNotZero();
    assertThat(left.output()).contains("still registered").doesNotContain("is stopped");

    brokers("");
    host.program("systemctl", "case $1 in stop) exit 1;; is-active) echo active;; esac");
    int before = host.called("launcher brokers unregister").size();
    Commands.Ended runs = host.attempt("drain");
    assertThat(runs.exitCode()).isNotZero();
    assertThat(runs.output()).contains("could not be stopped").doesNotContain("is stopped");
    assertThat(host.called("launcher brokers unregister"))
        .as("of a broker that runs")
        .hasSize(before);
  }

  @Test
  void aBrokerThatCanNotBeDrainedGoesOn() throws Exception {
    brokers(" balance*) exit 1;;");
    Commands.Ended ended = host.attempt("drain");
    assertThat(ended.exitCode()).isNotZero();
    assertThat(ended.output()).contains("this broker goes on");
    assertThat(host.called("systemctl")).isEmpty();
    assertThat(host.called("launcher brokers unregister")).isEmpty();
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
