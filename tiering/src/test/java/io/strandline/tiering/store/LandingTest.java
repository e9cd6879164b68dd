package io.strandline.tiering.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class LandingTest {
  private final byte[] memory = new byte[10];
  private final Landing landing = new Landing(10, this::put);

  private void put(int fromBytes, ByteBuffer piece) {
    piece.get(memory, fromBytes, piece.remaining());
  }

  private static ByteBuffer bytes(String text) {
    return StandardCharsets.US_ASCII.encode(text);
  }

  private String landed() {
    return new String(memory, StandardCharsets.US_ASCII).replace('\0', '.');
  }

  @Test
  void piecesLandOneAfterAnother() {
    Landing.Try only = landing.begin();
    assertThat(only.put(bytes("012"))).isTrue();
    assertThat(landing.whole()).isFalse();
    assertThat(only.put(bytes("3456789"))).isTrue();
    assertThat(landed()).isEqualTo("0123456789");
    assertThat(landing.whole()).isTrue();
  }

  @Test
  void aTryBeginsAtTheFirstByteAndEndsTheOneBefore() {
    Landing.Try first = landing.begin();
    assertThat(first.put(bytes("abcdef"))).isTrue();
    Landing.Try second = landing.begin();
    assertThat(first.put(bytes("gh"))).isFalse();
    assertThat(second.put(bytes("01"))).isTrue();
    assertThat(first.put(bytes("ij"))).isFalse();
    assertThat(landed()).isEqualTo("01cdef....");
    assertThat(landing.whole()).isFalse();
  }

  @Test
  void afterTheCloseNothingIsWrittenByAnyTry() {
    Landing.Try begun = landing.begin();
    landing.close();
    assertThat(begun.put(bytes("ab"))).isFalse();
    assertThat(landing.begin().put(bytes("cd"))).isFalse();
    assertThat(landed()).isEqualTo("..........");
  }

  @Test
  void closeWaitsForThePieceThatIsBeingWritten() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Landing slow =
        new Landing(
            10,
            (fromBytes, piece) -> {
              writing.countDown();
              awaitQuietly(goOn);
              put(fromBytes, piece);
            });
    Landing.Try begun = slow.begin();
    CompletableFuture<Boolean> put =
        CompletableFuture.supplyAsync(() -> begun.put(bytes("0123456789")));
    writing.await();
    CompletableFuture<String> seen =
        CompletableFuture.supplyAsync(
            () -> {
              slow.close();
              return landed();
            });
    goOn.countDown();
    assertThat(seen.join()).isEqualTo("0123456789");
    assertThat(put.join()).isTrue();
  }

  @Test
  void moreThanTheRangeIsRefused() {
    Landing.Try only = landing.begin();
    assertThat(only.put(bytes("01234567"))).isTrue();
    assertThatIllegalArgumentException().isThrownBy(() -> only.put(bytes("890")));
    assertThat(landing.whole()).isFalse();
  }

  /** Room of four bytes at a time. */
  private static final class Roomy implements Landing.Ground {
    private final ByteBuffer memory = ByteBuffer.allocateDirect(10);

    @Override
    public void put(int fromBytes, ByteBuffer piece) {
      memory.put(fromBytes, piece, piece.position(), piece.remaining());
    }

    @Override
    public ByteBuffer room(int fromBytes) {
      return memory.slice(fromBytes, Math.min(4, 10 - fromBytes));
    }
  }

  @Test
  void whoEntersWritesWhatComesNext() {
    Roomy roomy = new Roomy();
    Landing straight = new Landing(10, roomy);
    Landing.Try begun = straight.begin();
    assertThat(begun.enter(100).put(bytes("0123")).hasRemaining()).isFalse();
    begun.leave(3);
    assertThat(begun.enter(2).put(bytes("34")).hasRemaining()).isFalse();
    begun.leave(2);
    assertThat(begun.put(bytes("56789"))).isTrue();
    assertThat(begun.enter(100)).isNull();
    assertThat(straight.whole()).isTrue();
    assertThat(StandardCharsets.US_ASCII.decode(roomy.memory).toString()).isEqualTo("0123456789");
  }

  @Test
  void onlyTheLastTryIsLetIn() {
    Landing straight = new Landing(10, new Roomy());
    Landing.Try first = straight.begin();
    Landing.Try second = straight.begin();
    assertThat(first.enter(1)).isNull();
    assertThat(second.enter(1)).isNotNull();
    second.leave(0);
    straight.close();
    assertThat(second.enter(1)).isNull();
    assertThat(straight.begin().enter(1)).isNull();
  }

  @Test
  void closeAndTheNextTryWaitUntilWhoEnteredHasLeft() throws Exception {
    Landing straight = new Landing(10, new Roomy());
    Landing.Try begun = straight.begin();
    assertThat(begun.enter(4)).isNotNull();
    Thread next = new Thread(straight::begin);
    next.start();
    Thread closing = new Thread(straight::close);
    closing.start();
    for (Thread waiting : List.of(next, closing)) {
      while (waiting.getState() != Thread.State.WAITING) {
        assertThat(waiting.isAlive()).isTrue();
        Thread.onSpinWait();
      }
    }
    begun.leave(4);
    next.join();
    closing.join();
    assertThat(begun.put(bytes("x"))).isFalse();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
