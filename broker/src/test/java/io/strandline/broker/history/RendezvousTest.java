package io.strandline.broker.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** Which replay broker serves which partition. */
class RendezvousTest {
  private static final int PARTITIONS = 3_000;

  private static Map<String, Integer> shares(List<Node> brokers) {
    Map<String, Integer> chosen = new HashMap<>();
    for (int topic = 0; topic < 10; topic++) {
      Uuid id = new Uuid(17, topic);
      for (int i = 0; i < PARTITIONS / 10; i++) {
        chosen.put(id + "-" + i, ReplayBrokers.of(id, i, brokers).orElseThrow().id());
      }
    }
    return chosen;
  }

  private static List<Node> brokers(int... ids) {
    List<Node> all = new ArrayList<>();
    for (int id : ids) {
      all.add(new Node(id, "host", id));
    }
    return all;
  }

  @Test
  void eachHasAboutAsManyAsTheOthers() {
    Map<Integer, Integer> counts = new HashMap<>();
    shares(brokers(101, 102, 103)).values().forEach(id -> counts.merge(id, 1, Integer::sum));
    assertThat(counts).hasSize(3);
    assertThat(counts.values()).allMatch(count -> Math.abs(count - PARTITIONS / 3) < 100);
  }

  @Test
  void whoGoesOrComesMovesItsOwnShareAlone() {
    Map<String, Integer> three = shares(brokers(101, 102, 103));
    Map<String, Integer> two = shares(brokers(103, 101));
    three.forEach(
        (partition, broker) -> {
          if (broker != 102) {
            assertThat(two).containsEntry(partition, broker);
          }
        });
    assertThat(shares(brokers(103, 101, 102))).as("in any order").isEqualTo(three);
  }

  @Test
  void nobodyIsChosenAmongNone() {
    assertThat(ReplayBrokers.of(new Uuid(1, 2), 0, List.of())).isEmpty();
  }
}
