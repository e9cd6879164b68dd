package io.strandline.tools.move;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tools.balance.PartitionState;
import io.strandline.tools.balance.PartitionState.Weight;
import java.util.List;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.Test;

/** What is made of answers that do not fit each other, as they were given one after the other. */
class SurveyTest {
  private static final TopicPartition PARTITION = new TopicPartition("t", 0);

  @Test
  void aReassignmentOfAllReplicasThatBeganInBetweenIsOneToItsEnd() {
    TopicPartitionInfo before = new TopicPartitionInfo(0, node(1), nodes(1, 2), nodes(1, 2));
    PartitionReassignment all =
        new PartitionReassignment(List.of(3, 4, 1, 2), List.of(3, 4), List.of(1, 2));
    PartitionState state = Survey.state(PARTITION, before, all, Weight.NONE);
    assertThat(state.replicas()).containsExactly(3, 4);
    assertThat(state.inSync()).isEmpty();
    assertThat(state.pinned()).isTrue();
  }

  @Test
  void oneThatIsSeenByBothKeepsWhatStays() {
    TopicPartitionInfo now = new TopicPartitionInfo(0, node(1), nodes(1, 3, 2), nodes(1, 2));
    PartitionReassignment some =
        new PartitionReassignment(List.of(1, 3, 2), List.of(3), List.of(2));
    PartitionState state = Survey.state(PARTITION, now, some, Weight.NONE);
    assertThat(state.replicas()).containsExactly(1, 3);
    assertThat(state.inSync()).containsExactly(1);
    assertThat(state.pinned()).isTrue();
  }

  private static Node node(int id) {
    return new Node(id, "localhost", 9092);
  }

  private static List<Node> nodes(Integer... ids) {
    return List.of(ids).stream().map(SurveyTest::node).toList();
  }
}
