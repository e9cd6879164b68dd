package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ProduceRequest;
import org.junit.jupiter.api.Test;

/** Requests that wait for the metadata, and those that come after them. */
class InOrderTest {
  private final List<Integer> served = new ArrayList<>();
  private final Queue<Runnable> further = new ArrayDeque<>();
  private Consumer<Integer> whenServed = number -> {};
  private CompletableFuture<Void> settled = new CompletableFuture<>();
  private final InOrder<ProduceRequest> handler =
      new InOrder<>(
          request -> {
            served.add(request.body().timeout());
            whenServed.accept(request.body().timeout());
            return CompletableFuture.completedFuture(Reply.none());
          },
          () -> settled,
          further::add);

  private CompletableFuture<Reply> send(int number) {
    return send(number, "a");
  }

  private CompletableFuture<Reply> send(int number, String connection) {
    ProduceRequestData data = new ProduceRequestData().setAcks((short) 1).setTimeoutMs(number);
    Request<ProduceRequest> request =
        DataRig.request(
            ApiKeys.PRODUCE, new ProduceRequest(data, (short) 13), connection, () -> {});
    return handler.handle(request).toCompletableFuture();
  }

  @Test
  void requestsThatWaitAreServedInTheOrderInWhichTheyCame() {
    whenServed =
        number -> {
          if (number == 3) { // one comes while others are being served
            var unused = send(9);
          }
        };
    List<CompletableFuture<Reply>> replies =
        IntStream.rangeClosed(1, 5).mapToObj(this::send).toList();
    settled.complete(null);
    var unused = send(10);
    assertThat(served).containsExactly(1, 2, 3, 4, 5, 9, 10);
    assertThat(replies).allMatch(CompletableFuture::isDone);
  }

  @Test
  void noConnectionWaitsBehindAnother() {
    List<CompletableFuture<Reply>> others = new ArrayList<>();
    whenServed =
        number -> {
          if (number < 100) {
            others.add(send(100 + number, "b"));
            assertThat(others).allMatch(CompletableFuture::isDone);
          }
        };
    for (int i = 1; i <= 3; i++) {
      var unused = send(i);
    }
    settled.complete(null);
    assertThat(served).containsExactly(1, 101, 2, 102, 3, 103);
  }

  @Test
  void whatComesBehindAndHasToWaitForMoreIsNotServedWithTheFirst() {
    CompletableFuture<Void> first = settled;
    CompletableFuture<Void> second = new CompletableFuture<>();
    whenServed =
        number -> {
          if (number == 1) {
            settled = second;
            var unused = send(2);
          }
        };
    var unused = send(1);
    first.complete(null);
    assertThat(served).containsExactly(1);
    settled = CompletableFuture.completedFuture(null);
    unused = send(3);
    assertThat(served).as("behind one that waits").containsExactly(1);
    second.complete(null);
    assertThat(served).containsExactly(1, 2, 3);
  }

  @Test
  void whoMeetsTheConditionServesNoMoreThanABurst() {
    AtomicInteger left = new AtomicInteger(1_000);
    whenServed =
        number -> {
          if (left.getAndDecrement() > 0) {
            var unused = send(number + 1);
          }
        };
    var unused = send(0);
    settled.complete(null);
    assertThat(served).hasSizeLessThanOrEqualTo(64);
    while (!further.isEmpty()) {
      further.remove().run();
    }
    assertThat(served).isEqualTo(IntStream.rangeClosed(0, 1_000).boxed().toList());
  }

  @Test
  void aFailureIsItsRequestsAlone() {
    whenServed =
        number -> {
          if (number == 1) {
            throw new IllegalStateException("for the test");
          }
        };
    CompletableFuture<Reply> failed = send(1);
    CompletableFuture<Reply> next = send(2);
    settled.complete(null);
    assertThat(failed).isCompletedExceptionally();
    assertThat(next).isCompletedWithValueMatching(reply -> reply.response() == null);
  }
}
