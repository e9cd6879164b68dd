package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.ManifestBench.GRACE;
import static io.strandline.tiering.manifest.ManifestBench.PARTITION;
import static io.strandline.tiering.manifest.ManifestBench.segments;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreCall.Operation;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests are money: what each operation costs, and that it costs the same at any size. */
class ManifestCostTest {
  private static final int MILLION = 1_000_000;

  @Test
  void everyOperationCostsAConstantNumberOfRequestsAtAMillionSegments(@TempDir Path hints) {
    ManifestBench bench = new ManifestBench(Fencing.CHAIN);
    ManifestWriter writer = bench.writer(1);
    for (int i = 0; i < 100; i++) {
      writer.add(segments(i * 100_000L, MILLION / 100)).join();
    }
    assertThat(bench.view().segmentCount()).isEqualTo(MILLION);

    for (int i = 0; i < 600; i++) {
      long at = 10L * (MILLION + i);
      Map<Operation, Integer> commit = bench.callsOf(() -> writer.add(segments(at, 1)).join());
      assertThat(commit).containsEntry(Operation.PUT_IF_ABSENT, 1);
      assertThat(commit.getOrDefault(Operation.LIST, 0)).isLessThanOrEqualTo(6);
      assertThat(commit.getOrDefault(Operation.PUT, 0)).isLessThanOrEqualTo(2);
      assertThat(commit.getOrDefault(Operation.GET, 0)).isLessThanOrEqualTo(16);
    }
    assertThat(bench.callsOf(() -> writer.add(segments(10L * (MILLION + 600), 1)).join()))
        .isEqualTo(Map.of(Operation.PUT_IF_ABSENT, 1, Operation.LIST, 1));

    assertThat(bench.callsOf(bench::view))
        .as("open")
        .isEqualTo(Map.of(Operation.LIST, 1, Operation.GET, 1));
    Manifests hinted = bench.manifests(bench.config(Optional.of(hints)));
    hinted.read(PARTITION).join();
    assertThat(bench.callsOf(() -> hinted.read(PARTITION).join()))
        .as("open with a hint")
        .isEqualTo(Map.of(Operation.GET, 1));

    ManifestView cold = bench.view();
    assertThat(bench.callsOf(() -> assertThat(cold.find(12_345L).join()).isPresent()))
        .as("find in the oldest page, nothing cached")
        .isEqualTo(Map.of(Operation.GET, 2));
    assertThat(bench.callsOf(() -> assertThat(cold.find(12_355L).join()).isPresent()))
        .as("find again")
        .isEqualTo(Map.of(Operation.GET, 0));

    assertThat(bench.callsOf(() -> writer.advanceStart(9_000_005L).join()))
        .as("retire 900,000 at once")
        .isEqualTo(Map.of(Operation.PUT_IF_ABSENT, 1, Operation.LIST, 1, Operation.GET, 1));
    assertThat(writer.view().segmentCount()).isEqualTo(100_601);
    // Every 16th version also looks for old ones: not this time.
    writer.advanceStart(9_000_015L).join();

    bench.pass(GRACE.multipliedBy(2));
    List<RetiredSegment> due = writer.retired(1000).join();
    assertThat(due).hasSize(1000);
    assertThat(bench.callsOf(() -> writer.forget(due).join()))
        .as("forget 1000")
        .isEqualTo(Map.of(Operation.PUT_IF_ABSENT, 1, Operation.LIST, 1));

    int largest =
        bench.keys(ManifestKeys.versionPrefix(PARTITION)).stream()
            .mapToInt(key -> bench.store.get(key, 1 << 20).join().remaining())
            .max()
            .orElseThrow();
    assertThat(largest).isLessThanOrEqualTo(VersionCodec.MAX_BYTES);
    assertThat(largest).as("largest head").isLessThan(32 << 10);
  }

  /**
   * A round of merging, sixteen into one, over a long history. The whole of a million: {@code
   * -Dmanifest.segments=1000000}.
   */
  @Test
  void aReplacementCostsTheSameWhereverAndHoweverOften() {
    boolean all = System.getProperty("manifest.segments") != null;
    int count = Integer.getInteger("manifest.segments", 100_000);
    ManifestBench bench = new ManifestBench(Fencing.CHAIN);
    ManifestWriter first = bench.writer(1);
    for (int i = 0; i < count; i += 10_000) {
      first.add(segments(i * 10L, 10_000)).join();
    }
    ManifestWriter newest = first;
    int steps = all ? count / 16 : 1500;
    Map<Operation, Integer> most = new EnumMap<>(Operation.class);
    int largest = 0;
    for (int i = 0; i < steps; i++) {
      // Now and then another leader, who knows no page.
      ManifestWriter writer = i % 50 == 0 ? bench.writer(i + 1) : newest;
      newest = writer;
      long from = i * 160L;
      List<SegmentEntry> run = bench.view().from(from, 16).join();
      Replacement merge =
          new Replacement(
              run,
              List.of(ManifestBench.compacted(from, from + 160, i)),
              new Compaction(0, count * 10L, from + 160));
      boolean collects = (writer.view().version() + 1) % 16 == 0;
      Map<Operation, Integer> calls = bench.callsOf(() -> writer.replace(merge).join());
      if (!collects) {
        calls.forEach((operation, n) -> most.merge(operation, n, Math::max));
      }
      largest = Math.max(largest, bench.headBytes(writer.view().version()));
      bench.pass(GRACE.dividedBy(400));
      if (i % 8 == 7) {
        writer.forget(writer.retired(256).join()).join();
      }
    }

    assertThat(most.get(Operation.PUT_IF_ABSENT)).isEqualTo(1);
    assertThat(most.get(Operation.LIST)).isEqualTo(1);
    assertThat(most.get(Operation.GET)).as("GETs of a replacement").isLessThanOrEqualTo(6);
    assertThat(most.get(Operation.PUT)).as("PUTs of a replacement").isLessThanOrEqualTo(6);
    assertThat(largest).as("largest head").isLessThan(40 << 10);
    assertThat(newest.view().segmentCount()).isEqualTo(count - 15 * steps);
    assertThat(bench.callsOf(bench::view)).isEqualTo(Map.of(Operation.LIST, 1, Operation.GET, 1));
    ManifestView cold = bench.view();
    assertThat(
            bench.callsOf(() -> assertThat(cold.find(7777).join()).isPresent()).get(Operation.GET))
        .as("find in the oldest page, nothing cached")
        .isLessThanOrEqualTo(2);
    System.err.printf(
        "%d of %d segments merged: at most %s, head at most %d bytes, %d pages%n",
        steps * 16, count, most, largest, bench.keys(ManifestKeys.pagePrefix(PARTITION)).size());
  }

  @Test
  void manyRetirementsOneByOneKeepTheHeadSmall() {
    ManifestBench bench = new ManifestBench(Fencing.CHAIN);
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 5000)).join();
    for (int i = 1; i <= 3000; i++) {
      writer.advanceStart(i * 10L).join();
      writer.add(segments(50_000L + (i - 1) * 10L, 1)).join();
      bench.pass(GRACE.dividedBy(500));
    }

    long due =
        writer.retired(Integer.MAX_VALUE).join().stream()
            .map(RetiredSegment::entry)
            .map(SegmentEntry::baseOffset)
            .distinct()
            .count();
    assertThat(due).isBetween(2300L, 2501L);
  }
}
