package io.strandline.replay.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.cache.ChunkKey;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.store.Landing;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A run of 10, 10 and 4 bytes from byte 7 of an object. */
class RunLoaderTest {
  private static final List<ChunkKey> KEYS =
      List.of(new ChunkKey("o", 7, 10), new ChunkKey("o", 17, 10), new ChunkKey("o", 27, 4));
  private static final int LENGTH = 24;

  private final CompletableFuture<Landing> answer = new CompletableFuture<>();
  private final RunLoader loader =
      new RunLoader(new ChunkPlan.Run(7, LENGTH, KEYS), asked -> answering(asked));
  private final byte[] bytes = new byte[LENGTH];
  private Landing landing;
  private int requests;

  RunLoaderTest() {
    new Random(1).nextBytes(bytes);
  }

  private CompletableFuture<Landing> answering(Landing asked) {
    requests++;
    landing = asked;
    return answer;
  }

  private static ByteBuffer memoryOf(int chunk) {
    return ByteBuffer.allocateDirect(KEYS.get(chunk).lengthBytes());
  }

  private void assertHolds(ByteBuffer memory, int chunk) {
    assertThat(memory.hasRemaining()).isFalse();
    int from = (int) KEYS.get(chunk).positionBytes() - 7;
    assertThat(memory.flip()).isEqualTo(ByteBuffer.wrap(bytes, from, memory.limit()));
  }

  @Test
  void oneRequestFillsAllChunksHoweverItsPiecesAreCut() {
    List<ByteBuffer> memory = List.of(memoryOf(0), memoryOf(1), memoryOf(2));
    List<CompletableFuture<?>> loads =
        List.of(
            loader.load(KEYS.get(0), memory.get(0)),
            loader.load(KEYS.get(1), memory.get(1)),
            loader.load(KEYS.get(2), memory.get(2)));
    Landing.Try only = landing.begin();
    assertThat(only.put(ByteBuffer.wrap(bytes, 0, 3))).isTrue();
    assertThat(only.put(ByteBuffer.wrap(bytes, 3, 20))).isTrue();
    assertThat(only.put(ByteBuffer.wrap(bytes, 23, 1))).isTrue();
    assertThat(loads).noneMatch(CompletableFuture::isDone);
    answer.complete(landing);
    for (int chunk = 0; chunk < 3; chunk++) {
      assertThat(loads.get(chunk)).isCompleted();
      assertHolds(memory.get(chunk), chunk);
    }
    assertThat(requests).isEqualTo(1);
  }

  @Test
  void bytesWaitForMemoryThatComesLate() {
    ByteBuffer first = memoryOf(0);
    ByteBuffer second = memoryOf(1);
    ByteBuffer third = memoryOf(2);
    CompletableFuture<?> one = loader.load(KEYS.get(0), first);
    Landing.Try only = landing.begin();
    assertThat(only.put(ByteBuffer.wrap(bytes, 0, 15))).isTrue();
    CompletableFuture<?> two = loader.load(KEYS.get(1), second);
    assertThat(only.put(ByteBuffer.wrap(bytes, 15, 9))).isTrue();
    answer.complete(landing);
    CompletableFuture<?> three = loader.load(KEYS.get(2), third);
    assertThat(List.of(one, two, three)).allMatch(CompletableFuture::isDone);
    assertHolds(first, 0);
    assertHolds(second, 1);
    assertHolds(third, 2);
  }

  /** The first chunk has memory, the second only after some of its bytes came. */
  @Test
  void roomIsGivenWhereAChunkHasMemoryFromItsFirstByteOn() {
    List<ByteBuffer> memory = List.of(memoryOf(0), memoryOf(1), memoryOf(2));
    CompletableFuture<?> one = loader.load(KEYS.get(0), memory.get(0));
    Landing.Try only = landing.begin();
    assertThat(only.put(ByteBuffer.wrap(bytes, 0, 3))).isTrue();
    assertThat(only.enter(100).put(bytes, 3, 7).hasRemaining()).isFalse();
    only.leave(7);
    assertThat(only.enter(100)).isNull();
    assertThat(only.put(ByteBuffer.wrap(bytes, 10, 1))).isTrue();
    CompletableFuture<?> two = loader.load(KEYS.get(1), memory.get(1));
    CompletableFuture<?> three = loader.load(KEYS.get(2), memory.get(2));
    assertThat(only.enter(100)).isNull();
    assertThat(only.put(ByteBuffer.wrap(bytes, 11, 9))).isTrue();
    only.enter(3).put(bytes, 20, 3);
    only.leave(3);
    only.enter(3).put(bytes, 23, 1);
    only.leave(1);
    answer.complete(landing);
    assertThat(List.of(one, two, three)).allMatch(CompletableFuture::isDone);
    for (int chunk = 0; chunk < 3; chunk++) {
      assertHolds(memory.get(chunk), chunk);
    }
  }

  @Test
  void aRequestThatFailedNeverTouchesTheMemoryAgain() {
    ByteBuffer memory = memoryOf(0);
    CompletableFuture<?> load = loader.load(KEYS.get(0), memory);
    Landing.Try only = landing.begin();
    assertThat(only.put(ByteBuffer.wrap(bytes, 0, 5))).isTrue();
    boolean[] wrote = {false};
    CompletableFuture<?> watched =
        load.whenComplete((done, failure) -> wrote[0] = only.put(ByteBuffer.wrap(bytes, 5, 5)));
    answer.completeExceptionally(new IllegalStateException("no store"));
    assertThatThrownBy(watched::join).hasRootCauseMessage("no store");
    assertThat(wrote[0]).isFalse();
    assertThat(landing.begin().put(ByteBuffer.wrap(bytes))).isFalse();
    assertThat(memory.get(5)).isZero();
  }

  @Test
  void anAnswerThatLacksBytesIsAFailure() {
    ByteBuffer memory = memoryOf(0);
    CompletableFuture<?> load = loader.load(KEYS.get(0), memory);
    assertThat(landing.begin().put(ByteBuffer.wrap(bytes, 0, 23))).isTrue();
    answer.complete(landing);
    assertThatThrownBy(load::join).hasRootCauseInstanceOf(IllegalStateException.class);
  }

  @Test
  void aRequestThatCannotBeSentFailsAllItsChunks() {
    refused(
        asked -> {
          throw new IllegalStateException("closed");
        });
    refused(
        asked -> {
          throw new LinkageError("of a test");
        });
  }

  private static void refused(Function<Landing, CompletableFuture<Landing>> request) {
    RunLoader refused = new RunLoader(new ChunkPlan.Run(7, LENGTH, KEYS), request);
    assertThat(refused.load(KEYS.get(0), memoryOf(0))).isCompletedExceptionally();
    assertThat(refused.load(KEYS.get(1), memoryOf(1))).isCompletedExceptionally();
  }
}
