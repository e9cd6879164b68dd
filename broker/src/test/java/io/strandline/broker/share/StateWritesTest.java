package io.strandline.broker.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.share.window.Change;
import io.strandline.broker.share.window.Claim;
import io.strandline.broker.share.window.DeliveryWindow;
import io.strandline.broker.share.window.Span;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** When the writes of a share partition are through. */
class StateWritesTest {
  private final Queue<CompletableFuture<Void>> underWay = new ArrayDeque<>();
  private final StateWrites writes =
      new StateWrites(
          changes -> {
            CompletableFuture<Void> write = new CompletableFuture<>();
            underWay.add(write);
            return write;
          });

  private static Change change() {
    DeliveryWindow window = new DeliveryWindow(0, List.of());
    Claim claim = new Claim("member", 1, 1, true, 1, 5, 10);
    assertThat(window.acquire(claim, 0, List.of(new Span(0, 0, true)))).hasSize(1);
    return window.release("member", 5);
  }

  private CompletableFuture<Void> write() {
    CompletableFuture<Void> written = writes.add(change());
    writes.send();
    return written;
  }

  @Test
  void whoIsToldOfAWriteAndBeginsTheNextIsWaitedFor() {
    CompletableFuture<Void> first = write();
    CompletableFuture<Void> idle = writes.idle();
    CompletableFuture<Void> second = first.thenCompose(done -> write());
    underWay.remove().complete(null);
    assertThat(first).isCompleted();
    assertThat(underWay).hasSize(1);
    assertThat(idle).isNotDone();
    underWay.remove().complete(null);
    assertThat(second).isCompleted();
    assertThat(idle).isCompleted();
    assertThat(writes.idle()).isCompleted();
  }

  @Test
  void whatCameMeanwhileIsOneWriteMoreAndWaitedFor() {
    write();
    write();
    write();
    CompletableFuture<Void> idle = writes.idle();
    underWay.remove().completeExceptionally(new IllegalStateException("not written"));
    assertThat(idle).isNotDone();
    underWay.remove().complete(null);
    assertThat(underWay).isEmpty();
    assertThat(idle).isCompleted();
  }

  @Test
  void whatComesAfterTheRestHasARestOfItsOwn() {
    write();
    underWay.remove().complete(null);
    write();
    assertThat(writes.idle()).isNotDone();
    underWay.remove().complete(null);
    assertThat(writes.idle()).isCompleted();
  }
}
