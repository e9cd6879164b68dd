package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.fetch.BatchTooLargeException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Batches larger than budget and cache together. */
@Timeout(60)
class LargeBatchTest {
  private static final int CHUNK = TestTier.CHUNK;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @SuppressWarnings("NullAway.Init")
  private TestTier tier;

  @BeforeEach
  void open() {
    tier = new TestTier(dir, 11, new SerialExecutor(), TestTier.small(2L * CHUNK), 4L * CHUNK);
  }

  @AfterEach
  void accountsBalance() {
    tier.close();
  }

  private CompletableFuture<ReplayRead> read(long offset, String reader) {
    return tier.replay.read(tier.request(offset, 1, reader));
  }

  private void checked(CompletableFuture<ReplayRead> done, long offset) {
    assertThat(done).isDone();
    try (ReplayRead read = done.join()) {
      tier.check(offset, read);
      assertThat(read.nextOffset()).isGreaterThan(offset);
    }
  }

  /** Of the first batch that is larger than the budget. */
  private long large() {
    tier.segment(100 * CHUNK, 60_000);
    return tier.origin.stream()
        .filter(batch -> batch.sizeBytes() > 8 * CHUNK)
        .findFirst()
        .orElseThrow()
        .baseOffset();
  }

  /** Requests that asked for more than the budget holds. */
  private long largeGets() {
    return tier.store.gets.stream().filter(get -> get.lengthBytes() > 2 * CHUNK).count();
  }

  @Test
  void everyReaderGetsOnWhateverTheSizeOfBatches() {
    tier.segment(100 * CHUNK, 60_000);
    tier.segment(20 * CHUNK, 100);
    tier.segment(100 * CHUNK, 60_000);
    for (String reader : List.of("a", "b")) {
      long offset = 0;
      while (offset < tier.endOffset()) {
        CompletableFuture<ReplayRead> next = read(offset, reader);
        assertThat(next).as("offset %s", offset).isDone();
        try (ReplayRead read = next.join()) {
          tier.check(offset, read);
          assertThat(read.nextOffset()).isGreaterThan(offset);
          offset = read.nextOffset();
        }
      }
      tier.replay.left(reader);
    }
  }

  @Test
  void oneIsReadAtATimeAndUntilItsAnswerIsClosed() {
    long offset = large();
    tier.store.hold();
    CompletableFuture<ReplayRead> first = read(offset, "a");
    CompletableFuture<ReplayRead> second = read(offset, "b");
    tier.store.release();
    ReplayRead answer = first.join();
    tier.check(offset, answer);
    long gets = largeGets();
    assertThat(second).isNotDone();
    CompletableFuture<ReplayRead> on = read(answer.nextOffset(), "a");
    assertThat(second).as("the answer is still open").isNotDone();
    answer.close();
    checked(second, offset);
    assertThat(largeGets()).isGreaterThan(gets);
    on.thenAccept(ReplayRead::close);
  }

  @Test
  void whatAReadThatWasGivenUpAskedForIsThereForTheNext() {
    long offset = large();
    tier.store.hold();
    read(offset, "a").cancel(true);
    tier.store.release();
    long gets = largeGets();
    assertThat(gets).isPositive();
    checked(read(offset, "a"), offset);
    assertThat(largeGets()).isEqualTo(gets);
  }

  @Test
  void aReaderThatLeftOrNeverCameBackStopsNobody() {
    long offset = large();
    tier.store.hold();
    read(offset, "a").cancel(true);
    CompletableFuture<ReplayRead> second = read(offset, "b");
    tier.replay.left("a");
    tier.store.release();
    checked(second, offset);
    tier.replay.left("b");

    tier.store.hold();
    read(offset, "c").cancel(true);
    tier.store.release();
    CompletableFuture<ReplayRead> third = read(offset, "d");
    assertThat(third).isNotDone();
    tier.nanos.addAndGet(6_000_000_000L);
    tier.replay.dropIdle();
    checked(third, offset);
  }

  @Test
  void bytesThatCameDamagedAreAskedForAgain() {
    long offset = large();
    checked(read(offset, "a"), offset);
    tier.replay.left("a");
    tier.store.damageNext(1);
    checked(read(offset, "b"), offset);
    assertThat(tier.metrics.get("strandline.replay.retries").counter().count()).isPositive();
  }

  @Test
  void aDamagedLengthIsNotTakenForALargeBatch() {
    tier.segment(100 * CHUNK, 600);
    tier.store.lengthenNext(70 * CHUNK);
    checked(read(0, "a"), 0);
    assertThat(tier.metrics.get("strandline.replay.retries").counter().count()).isEqualTo(1);
  }

  @Test
  void aBatchTooLargeIsLoadedOnceMoreAndNotWheneverItIsAskedFor() {
    tier.segment(70 * CHUNK, 4_000_000);
    for (int i = 0; i < 5; i++) {
      assertThatThrownBy(() -> read(0, "a").join())
          .hasRootCauseInstanceOf(BatchTooLargeException.class);
    }
    assertThat(tier.metrics.get("strandline.replay.retries").counter().count()).isEqualTo(1);
    assertThat(tier.damages).isEmpty();
  }

  @Test
  void aBatchBeyondWhatIsServedIsToldAsSuch() {
    tier.segment(70 * CHUNK, 4_000_000); // one record of some MB is enough
    assertThatThrownBy(() -> read(0, "a").join())
        .hasRootCauseInstanceOf(BatchTooLargeException.class)
        .hasRootCauseMessage(
            "a batch of "
                + tier.origin.get(0).sizeBytes()
                + " bytes is more than the replay budget holds, and than the "
                + 64 * CHUNK
                + " that are served beside it");
  }
}
