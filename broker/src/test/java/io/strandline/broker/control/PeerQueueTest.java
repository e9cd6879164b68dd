package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.BrokerNotAvailableException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A broker that answers late, or goes while much waits for it. */
@Timeout(30)
class PeerQueueTest {
  private record Item(String key, int number) {}

  private final List<Item> sent = new ArrayList<>();
  private final CompletableFuture<Void> first = new CompletableFuture<>();

  @Test
  void aBrokerThatGoesWhileMuchWaitsIsAskedAgainLater() {
    PeerQueue<Item> queue =
        new PeerQueue<>(
            Item::key,
            batch -> {
              sent.addAll(batch);
              return sent.size() == 1 ? first : gone();
            });
    for (int i = 0; i <= 50_000; i++) {
      queue.add(new Item("a", i));
    }
    assertThat(sent).hasSize(1);
    first.completeExceptionally(new BrokerNotAvailableException("fenced"));
    assertThat(sent).extracting(Item::number).hasSize(50_001).isSorted();
    queue.add(new Item("a", 50_001));
    assertThat(sent.get(sent.size() - 1).number()).isEqualTo(50_001);
  }

  @Test
  void whatCouldNotBeSentHoldsUpNobody() {
    PeerQueue<Item> queue =
        new PeerQueue<>(
            Item::key,
            batch -> {
              sent.addAll(batch);
              if (sent.size() == 1) {
                return first;
              }
              throw new StackOverflowError("as deep as the one who completed the answer");
            });
    for (int i = 0; i < 3; i++) {
      queue.add(new Item("a", i));
    }
    first.complete(null);
    assertThat(sent).hasSize(3);
    queue.add(new Item("a", 3));
    assertThat(sent).hasSize(4);
  }

  @Test
  void ofOneKeyOneIsUnderWayAndEachKeyHasItsTurn() {
    List<List<Item>> batches = new ArrayList<>();
    List<CompletableFuture<Void>> answers = new ArrayList<>();
    PeerQueue<Item> queue =
        new PeerQueue<>(
            Item::key,
            batch -> {
              batches.add(batch);
              answers.add(new CompletableFuture<>());
              return answers.get(answers.size() - 1);
            });
    queue.add(new Item("a", 0));
    for (int i = 1; i < 3; i++) {
      queue.add(new Item("a", i));
      queue.add(new Item("b", i));
    }
    for (int i = 0; i < 3; i++) {
      answers.get(i).complete(null);
    }
    assertThat(batches)
        .containsExactly(
            List.of(new Item("a", 0)),
            List.of(new Item("a", 1), new Item("b", 1)),
            List.of(new Item("a", 2), new Item("b", 2)));
  }

  private static CompletableFuture<Void> gone() {
    return CompletableFuture.failedFuture(new BrokerNotAvailableException("fenced"));
  }
}
