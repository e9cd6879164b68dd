package io.strandline.tools.doctor;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.QuorumInfo.ReplicaState;
import org.apache.kafka.common.Node;

/** The metadata quorum: a leader, voters that keep up, its clock; and brokers that are fenced. */
final class QuorumCheck implements Check {
  private static final Duration BEHIND = Duration.ofSeconds(30);

  private final Admin admin;
  private final InstantSource clock;

  QuorumCheck(Admin admin, InstantSource clock) {
    this.admin = admin;
    this.clock = clock;
  }

  @Override
  public List<Finding> run() throws Exception {
    List<Finding> findings = new ArrayList<>();
    Instant before = clock.instant();
    QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
    Instant after = clock.instant();
    if (quorum.leaderId() < 0) {
      findings.add(
          Finding.fail(
              "quorum leader",
              "none",
              "Nothing of the metadata changes: no failover, no topics. Start controllers until most"
                  + " of the voters run."));
      return findings;
    }
    findings.add(
        Finding.ok(
            "quorum leader", "node " + quorum.leaderId() + " in epoch " + quorum.leaderEpoch()));
    List<Node> brokers =
        List.copyOf(
            admin
                .describeCluster(new DescribeClusterOptions().includeFencedBrokers(true))
                .nodes()
                .get());
    findings.add(voters(quorum, brokers.size()));
    findings.add(fenced(brokers));
    leader(quorum)
        .ifPresent(
            millis ->
                findings.add(
                    Clocks.compare(
                        "clock controller",
                        "the active controller",
                        Instant.ofEpochMilli(millis),
                        before,
                        after)));
    return findings;
  }

  /** The leader's time when it answered: it says that of itself where others' last fetch stands. */
  private static OptionalLong leader(QuorumInfo quorum) {
    return quorum.voters().stream()
        .filter(voter -> voter.replicaId() == quorum.leaderId())
        .map(ReplicaState::lastFetchTimestamp)
        .filter(OptionalLong::isPresent)
        .findFirst()
        .orElse(OptionalLong.empty());
  }

  private static Finding voters(QuorumInfo quorum, int brokers) {
    long now = leader(quorum).orElse(0);
    List<String> behind = new ArrayList<>();
    for (ReplicaState voter : quorum.voters()) {
      long since = now - voter.lastCaughtUpTimestamp().orElse(0);
      if (now > 0 && voter.replicaId() != quorum.leaderId() && since > BEHIND.toMillis()) {
        long lag = quorum.highWatermark() - voter.logEndOffset();
        behind.add("node " + voter.replicaId() + " by " + Math.max(lag, 0) + " records");
      }
    }
    int voters = quorum.voters().size();
    String all = Quantity.some(voters, "voter");
    if (!behind.isEmpty()) {
      String found = all + ", behind: " + String.join(", ", behind);
      String advice = "Do these controllers run, and do they reach the leader? See their logs.";
      return nextStops(voters, behind.size())
          ? Finding.fail("quorum voters", found + "; the next that fails stops the quorum", advice)
          : Finding.warn("quorum voters", found, advice);
    }
    if (voters % 2 == 0 || (voters == 1 && brokers > 1)) {
      return Finding.warn(
          "quorum voters",
          all + " for " + Quantity.some(brokers, "broker"),
          "Three voters outlive the loss of one, five of two; an even number is worth no more than one"
              + " less. kafka-metadata-quorum.sh add-controller");
    }
    return Finding.ok("quorum voters", all + ", all keep up");
  }

  /** Whether most voters are left no more once one more fails beside those that do not keep up. */
  static boolean nextStops(int voters, int behind) {
    return behind + 1 > (voters - 1) / 2;
  }

  private static Finding fenced(List<Node> brokers) {
    List<Integer> fenced = brokers.stream().filter(Node::isFenced).map(Node::id).sorted().toList();
    String all = Quantity.some(brokers.size(), "broker");
    return fenced.isEmpty()
        ? Finding.ok("quorum brokers", all + ", none fenced")
        : Finding.warn(
            "quorum brokers",
            all + ", fenced: " + fenced,
            "A fenced broker is stopped, starting, or does not reach the controllers. One that is gone"
                + " for good: strandline brokers unregister ID");
  }
}
