package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tests.store.S3MockProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every request that a cluster makes to another one's bucket over S3, all its life, reads. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ForeignBucketTest {
  private static final Map<String, String> ANY_KEYS =
      Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any-secret");

  @TempDir Path dir;

  @Test
  void nothingIsEverWrittenToAnotherClustersBucket() throws Exception {
    try (S3MockProcess s3 = S3MockProcess.start(dir.resolve("s3"), "lab");
        RecordingProxy proxy = new RecordingProxy(s3.endpoint())) {
      fill("s3://lab/theirs?endpoint=" + s3.endpoint());
      String theirs = "s3://lab/theirs?endpoint=" + proxy.endpoint();
      String ours = "s3://lab/ours?endpoint=" + s3.endpoint();
      try (BrokerProcess here =
          BrokerProcess.start(dir.resolve("here"), settings(ours, theirs), ANY_KEYS)) {
        String at = here.bootstrap();
        tier("mount", "--from", theirs, "--topic", "trips", "--as", "live", "--bootstrap", at);
        restore(theirs, at, "again");
        restore(theirs, at, "copied", "--copy");
        for (String topic : List.of("live", "again", "copied")) {
          assertThat(TwoClusters.read(here, of(topic), 0)).hasSizeGreaterThan(1_900);
        }
        TwoClusters.until("the copy", () -> here.metric("strandline_mount_copying") == 0);
        tier("verify", "--store", ours, "--other", theirs, "--grace", "PT0S");
        TwoClusters.produce(here, "again", 1, 5_000, 7_500);
        here.kill();
        here.startAgain();
        expire(here);
        tier("unmount", "--bootstrap", at, "live");
        try (Admin admin = TwoClusters.admin(here)) {
          admin.deleteTopics(List.of("again", "copied")).all().get();
        }
        TwoClusters.until(
            "nothing is left of ours",
            () -> here.metric("strandline_tiering_deleted_segments_total") > 3);
      }
      assertThat(proxy.requests)
          .hasSizeGreaterThan(20)
          .allMatch(request -> request.startsWith("GET ") || request.startsWith("HEAD "));
      tier("verify", "--store", "s3://lab/theirs?endpoint=" + s3.endpoint(), "--grace", "PT0S");
    }
  }

  /** Another cluster's life, over before this one's begins. */
  private void fill(String store) throws Exception {
    try (BrokerProcess there =
        BrokerProcess.start(dir.resolve("there"), settings(store, ""), ANY_KEYS)) {
      TwoClusters.create(there, "trips", 1);
      TwoClusters.produce(there, "trips", 1, 0, 2_500);
      TwoClusters.until(
          "most of it is tiered",
          () -> TwoClusters.offset(there, of("trips"), OffsetSpec.latestTiered()) > 1_900);
    }
  }

  /** What was restored goes by retention here, in the manifest and nowhere else. */
  private static void expire(BrokerProcess here) throws Exception {
    try (Admin admin = TwoClusters.admin(here)) {
      admin
          .deleteRecords(Map.of(of("again"), RecordsToDelete.beforeOffset(1_200)))
          .all()
          .get(60, TimeUnit.SECONDS);
    }
    TwoClusters.until(
        "segments are forgotten",
        () -> here.metric("strandline_tiering_deleted_segments_total") > 0);
  }

  private void restore(String from, String at, String as, String... more) throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of("restore", "topic", "--from", from, "--topic", "trips", "--as", as));
    arguments.addAll(List.of("--bootstrap", at, "-c", "segment.bytes=1048576"));
    arguments.addAll(List.of("-c", "retention.ms=-1"));
    arguments.addAll(List.of(more));
    tier(arguments.toArray(String[]::new));
  }

  private void tier(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("tier"));
    all.addAll(List.of(arguments));
    ToolProcess.Ended ended = ToolProcess.run(dir, ANY_KEYS, all.toArray(String[]::new));
    assertThat(ended.exitCode()).as("%s%n%s%n%s", all, ended.out(), ended.err()).isZero();
  }

  private static TopicPartition of(String topic) {
    return new TopicPartition(topic, 0);
  }

  private static Map<String, String> settings(String store, String others) {
    Map<String, String> settings = new HashMap<>(TwoClusters.settings(store, others));
    settings.put("strandline.scrub.list.ms", "1000");
    return settings;
  }
}
