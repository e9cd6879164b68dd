package io.strandline.broker.restore;

import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a restore found and did, in lines for an operator. */
public final class RestoreReport {
  private RestoreReport() {}

  /** Tells all of it. */
  public static void write(ClusterRestore.Found found, Consumer<String> line) {
    line.accept("cluster " + found.clusterId() + ", generation " + found.generation());
    line.accept(
        "metadata up to offset "
            + found.backup().endOffset()
            + " of epoch "
            + found.backup().epoch()
            + ", written "
            + found.backup().written()
            + ": "
            + counts(found.cluster().counts()));
    line.accept("brokers of the lost cluster: " + found.cluster().brokers());
    for (RestoredPartition partition : found.partitions()) {
      line.accept(partition(partition));
      for (RestoredPartition.Cut cut : partition.cut()) {
        line.accept(
            "  transaction of producer "
                + cut.producerId()
                + " cut: "
                + (cut.committed() ? "committed" : "aborted")
                + " from offset "
                + cut.firstOffset()
                + ", lost from offset "
                + partition.endOffset());
      }
    }
    found
        .unknown()
        .forEach(
            p ->
                line.accept(
                    "not in the metadata, left alone: topic id "
                        + p.topicId()
                        + ", partition "
                        + p.partition()));
  }

  private static String partition(RestoredPartition p) {
    String name = p.id().topic() + "-" + p.id().partition() + ": ";
    if (p.deleted()) {
      return name + "deleted after the backup, left out";
    }
    if (p.known() == RestoredPartition.Known.NOTHING) {
      return name + "its manifest cannot be read, comes back when it can";
    }
    if (p.endOffset() == 0) {
      return name + "nothing in the store, begins anew at offset 0";
    }
    String held =
        p.startOffset() == p.endOffset()
            ? "no records"
            : "offsets " + p.startOffset() + " to " + (p.endOffset() - 1);
    return name
        + held
        + ", goes on at "
        + p.endOffset()
        + (p.known() == RestoredPartition.Known.ALL ? "" : " when its last segment can be read");
  }

  private static String counts(Map<String, Integer> counts) {
    return Stream.of(
            count(counts, "TOPIC_RECORD", "topics"),
            count(counts, "PARTITION_RECORD", "partitions"),
            count(counts, "CONFIG_RECORD", "configuration values"),
            count(counts, "ACCESS_CONTROL_ENTRY_RECORD", "ACLs"),
            count(counts, "USER_SCRAM_CREDENTIAL_RECORD", "SCRAM credentials"),
            count(counts, "CLIENT_QUOTA_RECORD", "quotas"))
        .collect(Collectors.joining(", "));
  }

  private static String count(Map<String, Integer> counts, String type, String name) {
    return counts.getOrDefault(type, 0) + " " + name;
  }
}
