package io.strandline.tests.observe;

import static io.strandline.tests.observe.Watched.bean;
import static io.strandline.tests.observe.Watched.beans;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kafka's names over the platform's MBean server, after real clients wrote and read. */
@Timeout(120)
class KafkaNamesTest {
  private static final int RECORDS = 5_000;
  private static final String TOPIC_METRICS = "kafka.server:type=BrokerTopicMetrics,name=";

  private static long count(String name) {
    return (long) bean(name, "Count");
  }

  @Test
  void countsAreWhatClientsSentAndRead(@TempDir Path dir) throws Exception {
    try (Watched node = new Watched(dir, Map.of())) {
      node.create("orders", 2, Map.of());
      node.create("other", 1, Map.of());
      node.produce("orders", RECORDS, 100);
      node.produce("other", 10, 100);
      assertThat(node.consume("orders", "readers", RECORDS)).isEqualTo(RECORDS);

      topics();
      requests();
      replicas();
      logs();
      partitions();
      groups();
      node();

      node.delete("other");
      Watched.await(
          "the meters of a deleted topic to go", () -> beans("kafka.*:topic=other,*").isEmpty());
      assertThat(beans(TOPIC_METRICS + "BytesInPerSec,topic=orders")).hasSize(1);
    }
    assertThat(beans("kafka.*:topic=orders,*")).as("after the stop").isEmpty();
    assertThat(beans("kafka.network:name=TotalTimeMs,request=Produce,*")).isEmpty();
  }

  private static void topics() {
    String orders = ",topic=orders";
    long bytesIn = count(TOPIC_METRICS + "BytesInPerSec" + orders);
    assertThat(count(TOPIC_METRICS + "MessagesInPerSec" + orders)).isEqualTo(RECORDS);
    assertThat(count(TOPIC_METRICS + "MessagesInPerSec,topic=other")).isEqualTo(10);
    assertThat(count(TOPIC_METRICS + "MessagesInPerSec"))
        .as("all topics, that of the groups included")
        .isGreaterThan(RECORDS + 10);
    assertThat(bytesIn).isBetween(RECORDS * 100L, RECORDS * 120L);
    assertThat(count(TOPIC_METRICS + "BytesOutPerSec" + orders)).isEqualTo(bytesIn);
    assertThat(bean("kafka.log:type=Log,name=Size,topic=orders,partition=0", "Value"))
        .isEqualTo(bytesIn);
    assertThat(count(TOPIC_METRICS + "TotalProduceRequestsPerSec" + orders)).isPositive();
    assertThat(count(TOPIC_METRICS + "TotalFetchRequestsPerSec" + orders)).isPositive();
    assertThat(count(TOPIC_METRICS + "FailedProduceRequestsPerSec")).isZero();
    assertThat(count(TOPIC_METRICS + "FailedFetchRequestsPerSec")).isZero();
  }

  private static void requests() throws Exception {
    String produces = "kafka.network:type=RequestMetrics,name=%s,request=Produce";
    long sent = count(produces.formatted("TotalTimeMs"));
    long byVersion =
        beans(produces.formatted("RequestsPerSec") + ",version=*").stream()
            .mapToLong(KafkaNamesTest::count)
            .sum();
    assertThat(byVersion).isEqualTo(sent);
    assertThat(count(TOPIC_METRICS + "TotalProduceRequestsPerSec,topic=orders"))
        .isLessThanOrEqualTo(sent);
    assertThat(count(produces.formatted("LocalTimeMs"))).isEqualTo(sent);
    assertThat((double) bean(produces.formatted("TotalTimeMs"), "99thPercentile")).isPositive();
    assertThat(count(produces.formatted("ErrorsPerSec") + ",error=NONE")).isEqualTo(sent);
    String fetches = "kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Fetch";
    assertThat(count(fetches)).isPositive();
    Watched.await(
        "a fetch to be counted under both names",
        () -> count(fetches) == count(fetches + "Consumer"));
  }

  private static void replicas() {
    String replicas = "kafka.server:type=ReplicaManager,name=";
    assertThat(bean(replicas + "PartitionCount", "Value")).isEqualTo(4);
    assertThat(bean(replicas + "LeaderCount", "Value")).isEqualTo(4);
    assertThat(bean(replicas + "UnderReplicatedPartitions", "Value")).isEqualTo(0);
    assertThat(bean(replicas + "UnderMinIsrPartitionCount", "Value")).isEqualTo(0);
    assertThat(bean(replicas + "AtMinIsrPartitionCount", "Value")).isEqualTo(4);
    assertThat(bean(replicas + "OfflineReplicaCount", "Value")).isEqualTo(0);
    assertThat(count(replicas + "IsrShrinksPerSec")).isZero();
  }

  private static void logs() {
    String log = "kafka.log:type=Log,name=%s,topic=orders,partition=0";
    assertThat(bean(log.formatted("LogEndOffset"), "Value")).isEqualTo((long) RECORDS);
    assertThat(bean(log.formatted("LogStartOffset"), "Value")).isEqualTo(0L);
    assertThat(bean(log.formatted("NumLogSegments"), "Value")).isEqualTo(1);
    assertThat(bean("kafka.log:type=LogFlushStats,name=LogFlushRateAndTimeMs", "Count"))
        .isInstanceOf(Long.class);
    assertThat(bean("kafka.log:type=LogManager,name=OfflineLogDirectoryCount", "Value"))
        .isEqualTo(0);
  }

  private static void partitions() {
    String partition = "kafka.cluster:type=Partition,name=%s,topic=orders,partition=1";
    assertThat(bean(partition.formatted("ReplicasCount"), "Value")).isEqualTo(1);
    assertThat(bean(partition.formatted("InSyncReplicasCount"), "Value")).isEqualTo(1);
    assertThat(bean(partition.formatted("UnderReplicated"), "Value")).isEqualTo(0);
    assertThat(bean(partition.formatted("UnderMinIsr"), "Value")).isEqualTo(0);
    assertThat(bean(partition.formatted("AtMinIsr"), "Value")).isEqualTo(1);
    assertThat(bean(partition.formatted("LastStableOffsetLag"), "Value")).isEqualTo(0L);
    assertThat(bean(TOPIC_METRICS + "RemoteCopyLagBytes,topic=orders", "Value")).isEqualTo(0L);
    assertThat(bean(TOPIC_METRICS + "RemoteCopyLagSegments", "Value")).isEqualTo(0L);
  }

  /** Uploads are slower than anybody would wait for: all but the first stay where they are. */
  @Test
  void theLagOfATopicIsWhatWaitsForTheTier(@TempDir Path dir) throws Exception {
    String slow = "remote.log.manager.copy.max.bytes.per.second";
    try (Watched node = new Watched(dir, Map.of(slow, "50000"))) {
      node.create("waiting", 1, Map.of("segment.bytes", "1048576"));
      node.create("other", 1, Map.of());
      node.produce("waiting", 4_000, 1_000);

      String lag = TOPIC_METRICS + "RemoteCopyLag%s";
      Watched.await(
          "segments to wait",
          () -> {
            long segments = (long) bean(lag.formatted("Segments") + ",topic=waiting", "Value");
            long bytes = (long) bean(lag.formatted("Bytes") + ",topic=waiting", "Value");
            return segments > 0 && bytes > segments * 900_000 && bytes <= segments << 20;
          });
      assertThat((long) bean(lag.formatted("Bytes"), "Value")).isPositive();
      assertThat(bean(lag.formatted("Bytes") + ",topic=other", "Value")).isEqualTo(0L);
    }
  }

  private static void groups() {
    assertThat((double) bean("kafka.server:type=group-coordinator-metrics", "offset-commit-count"))
        .isPositive();
    assertThat(beans("kafka.coordinator.group:type=GroupMetadataManager,name=NumOffsets"))
        .hasSize(1);
  }

  private static void node() {
    assertThat(bean("kafka.server:type=KafkaServer,name=BrokerState", "Value")).isEqualTo((byte) 3);
    assertThat(
            (double)
                bean(
                    "kafka.network:type=SocketServer,name=NetworkProcessorAvgIdlePercent", "Value"))
        .isBetween(0.0, 1.0);
    assertThat(
            (double)
                bean(
                    "kafka.server:type=socket-server-metrics,listener=PLAINTEXT,networkProcessor=0",
                    "connection-creation-total"))
        .isPositive();
    assertThat(bean("kafka.controller:type=KafkaController,name=ActiveControllerCount", "Value"))
        .isEqualTo(1);
    assertThat(beans("kafka.server:type=app-info,id=1")).hasSize(1);
  }
}
