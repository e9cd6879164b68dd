package io.strandline.tools.move;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** Offsets of many partitions; those that cannot tell are left out. */
final class Offsets {
  private static final int TIMEOUT_MS = 15_000;

  private Offsets() {}

  static Map<TopicPartition, Long> of(
      Admin admin, Collection<TopicPartition> partitions, OffsetSpec spec)
      throws InterruptedException {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    partitions.forEach(p -> asked.put(p, spec));
    ListOffsetsResult answers =
        admin.listOffsets(asked, new ListOffsetsOptions().timeoutMs(TIMEOUT_MS));
    Map<TopicPartition, Long> offsets = new HashMap<>();
    for (TopicPartition partition : partitions) {
      try {
        offsets.put(partition, answers.partitionResult(partition).get().offset());
      } catch (ExecutionException unknown) {
        // A leader that is just changing, a broker of an earlier release, a tier that is away.
      }
    }
    return offsets;
  }
}
