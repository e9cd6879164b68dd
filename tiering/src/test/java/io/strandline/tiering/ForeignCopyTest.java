package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.mount.Adoption;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A restored topic's segments move from another cluster's store into this one's. */
class ForeignCopyTest {
  private static final int THEIRS = 6;
  private static final AbortedTransaction ABORTED = new AbortedTransaction(77, 3, 1 << 20, 3);

  @TempDir Path directory;

  private final List<SegmentEntry> foreign = new ArrayList<>();
  private long cut;

  private TestTier tier(double bytesPerSecond) throws IOException {
    RewriteConfig d = RewriteConfig.defaults();
    RewriteConfig copying = new RewriteConfig(d.core(), 1, 5000, 0, 1_000, 1e12);
    TestTier tier = new TestTier(directory, 1).rewriting(copying.copying(bytesPerSecond));
    tier.crash();
    return tier;
  }

  /** A log that is empty and goes on where what it restored ends. */
  private TestHotLog restored(TestTier tier) throws IOException {
    Random random = new Random(5);
    for (int i = 0; i < THEIRS; i++) {
      TestLog log = TestLog.write(directory.resolve("their" + i), i, cut, 30);
      EncodedSegment encoded =
          SegmentFormat.encode(log.parts(cut, i == THEIRS - 1 ? List.of(ABORTED) : List.of()));
      ObjectKey key = SegmentId.of(TestLog.PARTITION, cut, random.nextLong()).key();
      tier.now(tier.theirs.put(key, encoded.payload()));
      foreign.add(encoded.entry("theirs", key));
      cut = log.endOffset;
    }
    TestHotLog log = new TestHotLog(directory, 0).goOnAt(cut);
    ManifestWriter writer = tier.now(tier.manifests.acquire(log.partition(), 0));
    tier.now(writer.add(foreign.stream().map(UploadedSegment::new).toList()));
    return log;
  }

  private static byte[] content(TestTier tier, List<SegmentEntry> entries) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (SegmentEntry entry : entries) {
      boolean own = entry.ownerCluster().equals("cluster");
      ByteBuffer data =
          tier.now(
              (own ? tier.bucket : tier.theirs).get(entry.object(), 0, (int) entry.dataBytes()));
      byte[] copy = new byte[data.remaining()];
      BatchHeader.inEpoch(data, SegmentEntry.FOREIGN_EPOCH).get(copy);
      all.writeBytes(copy);
    }
    return all.toByteArray();
  }

  private static long left(TestTier tier, TestHotLog log) {
    return tier.entries(log.partition()).stream()
        .filter(e -> !e.ownerCluster().equals("cluster"))
        .count();
  }

  @Test
  void allIsCopiedAndTheOtherStoreCanGo() throws IOException {
    TestTier tier = tier(1e12);
    TestHotLog log = restored(tier);
    byte[] before = content(tier, foreign);
    tier.joinCopying(log, 1);
    tier.time.advance(10 * 60_000);
    assertThat(left(tier, log)).isZero();
    foreign.forEach(entry -> tier.now(tier.theirs.delete(List.of(entry.object()))));

    List<SegmentEntry> entries = tier.entries(log.partition());
    assertThat(content(tier, entries)).isEqualTo(before);
    assertThat(entries).allMatch(entry -> entry.appendedTo(log.partition()));
    tier.check(log);
    inTheirEpochWithoutProducers(tier, entries);
    ManifestView view = tier.view(log.partition());
    assertThat(view.startOffset()).isZero();
    assertThat(view.endOffset()).isEqualTo(cut);
    assertThat(Adoption.done(view)).as("needs the source no more").isCompletedWithValue(true);
    tier.time.advance(3 * 24 * TestTier.HOUR_MS);
    tier.checkNoOrphans(log);
    log.seal(9, 5);
    tier.time.advance(3 * TestTier.HOUR_MS);
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(log.end());
  }

  private static void inTheirEpochWithoutProducers(TestTier tier, List<SegmentEntry> entries) {
    for (SegmentEntry entry : entries) {
      ByteBuffer object = tier.now(tier.bucket.get(entry.object(), 64 << 20));
      int tail = (int) SegmentFormat.tailPositionBytes(entry);
      SegmentIndex index = SegmentFormat.decode(entry, object.slice(tail, object.limit() - tail));
      assertThat(index.producerSnapshot()).isEmpty();
      assertThat(index.leaderEpochs())
          .singleElement()
          .satisfies(epoch -> assertThat(epoch.leaderEpoch()).isZero());
      for (RecordBatch batch :
          MemoryRecords.readableRecords(object.slice(0, (int) entry.dataBytes())).batches()) {
        batch.ensureValid();
        assertThat(batch.partitionLeaderEpoch()).isZero();
      }
      boolean last = entry.equals(entries.get(entries.size() - 1));
      assertThat(index.abortedTransactions(0, Long.MAX_VALUE))
          .isEqualTo(last ? List.of(ABORTED) : List.of());
    }
  }

  @Test
  void nothingIsCopiedUnlessItIsWanted() throws IOException {
    TestTier tier = tier(1e12);
    TestHotLog log = restored(tier);
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(TestTier.HOUR_MS);
    assertThat(tier.entries(log.partition())).isEqualTo(foreign);
  }

  @Test
  void aCrashAnywhereLeavesTheOneOrTheOtherAndTheNextLeaderGoesOn() throws IOException {
    TestTier tier = tier(20_000);
    TestHotLog log = restored(tier);
    byte[] before = content(tier, foreign);
    Random random = new Random(3);
    int epoch = 1;
    long was = THEIRS;
    int crashes = 0;
    while (left(tier, log) > 0) {
      tier.joinCopying(log, epoch++);
      tier.time.advance(random.nextInt(25_000));
      tier.crash();
      crashes++;
      assertThat(content(tier, tier.entries(log.partition()))).isEqualTo(before);
      assertThat(left(tier, log)).as("never again foreign").isLessThanOrEqualTo(was);
      was = left(tier, log);
      assertThat(crashes).isLessThan(1_000);
    }
    assertThat(crashes).isGreaterThan(3);
    tier.joinCopying(log, epoch);
    tier.time.advance(3 * 24 * TestTier.HOUR_MS);
    tier.checkNoOrphans(log);
  }

  @Test
  void noMoreIsCopiedThanTheRateAllows() throws IOException {
    TestTier tier = tier(1_000);
    TestHotLog log = restored(tier);
    long bytes = foreign.stream().mapToLong(SegmentEntry::lengthBytes).sum();
    long last = foreign.get(THEIRS - 1).lengthBytes();
    tier.joinCopying(log, 1);
    tier.time.advance(bytes - last - 10_000);
    assertThat(left(tier, log)).isPositive();
    tier.time.advance(last + 60_000);
    assertThat(left(tier, log)).isZero();
  }

  @Test
  void whatIsDamagedIsNotCopiedAndTheOthersAre() throws IOException {
    TestTier tier = tier(1e12);
    TestHotLog log = restored(tier);
    SegmentEntry victim = foreign.get(2);
    ByteBuffer sound = tier.now(tier.theirs.get(victim.object(), 64 << 20));
    ByteBuffer bytes = ByteBuffer.allocate(sound.remaining()).put(sound.duplicate()).flip();
    bytes.put(13, (byte) 9); // the leader epoch: no batch's checksum covers it
    tier.now(tier.theirs.put(victim.object(), Payload.of(bytes)));
    tier.joinCopying(log, 1);
    tier.time.advance(5 * 60_000);
    assertThat(left(tier, log)).isEqualTo(1);
    assertThat(tier.entries(log.partition()).get(2)).isEqualTo(victim);
    tier.now(tier.theirs.put(victim.object(), Payload.of(sound)));
    tier.time.advance(TestTier.HOUR_MS);
    assertThat(left(tier, log)).isZero();
  }
}
