package io.strandline.broker.restore;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

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
    return p.endOffset() == 0
        ? name + "nothing in the store, begins anew at offset 0"
        : name + "offsets " + p.startOffset() + " to " + p.endOffset();
  }

  private static String counts(Map<String, Integer> counts) {
    return List.of(
            "TOPIC_RECORD",
            "PARTITION_RECORD",
            "CONFIG_RECORD",
            "ACCESS_CONTROL_ENTRY_RECORD",
            "USER_SCRAM_CREDENTIAL_RECORD",
            "CLIENT_QUOTA_RECORD")
        .stream()
        .map(
            type ->
                counts.getOrDefault(type, 0)
                    + " "
                    + type.replace("_RECORD", "")
                        .replace('_', ' ')
                        .toLowerCase(java.util.Locale.ROOT))
        .reduce((a, b) -> a + ", " + b)
        .orElse("");
  }
}
