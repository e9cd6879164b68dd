package io.strandline.tools.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;

/** Log directories that failed, as each broker tells of its own; a broker that does not tell. */
final class DirectoriesCheck implements Check {
  private final Admin admin;

  DirectoriesCheck(Admin admin) {
    this.admin = admin;
  }

  @Override
  public List<Finding> run() throws Exception {
    List<Integer> brokers =
        admin.describeCluster().nodes().get().stream().map(Node::id).sorted().toList();
    Map<Integer, KafkaFuture<Map<String, LogDirDescription>>> answers =
        new TreeMap<>(admin.describeLogDirs(brokers).descriptions());
    List<String> failed = new ArrayList<>();
    List<Finding> silent = new ArrayList<>();
    List<Integer> told = new ArrayList<>();
    for (var answer : answers.entrySet()) {
      int broker = answer.getKey();
      try {
        answer
            .getValue()
            .get()
            .forEach(
                (path, directory) -> {
                  if (directory.error() != null) {
                    failed.add("broker " + broker + " " + path);
                  }
                });
        told.add(broker);
      } catch (ExecutionException e) {
        silent.add(
            Finding.fail(
                "partitions log directories of broker " + broker,
                "not told: " + Checkup.reason(e),
                "Does it stand still (its log, its pauses, its disk), and does this machine reach it?"
                    + " docs/runbooks/broker-fenced.md"));
      }
    }
    List<Finding> findings = new ArrayList<>();
    findings.add(
        failed.isEmpty()
            ? Finding.ok("partitions log directories", "none failed on brokers " + told)
            : Finding.fail(
                "partitions log directories",
                "failed: " + String.join(", ", failed),
                "The disk failed or is full; docs/runbooks/log-directory-offline.md."));
    findings.addAll(silent);
    return findings;
  }
}
