package io.strandline.broker.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;
import org.junit.jupiter.api.Test;

/** Elections as they reach a coordinator, and stop to. */
class SubscriptionTest {
  private static final String TOPIC = "__transaction_state";
  private static final Uuid ID = Uuid.randomUuid();

  private final List<String> told = new ArrayList<>();
  private final Subscription subscription =
      new Subscription(
          new Elections(
              TOPIC,
              1,
              new Elections.Candidate() {
                @Override
                public void elected(int partition, int leaderEpoch) {
                  told.add("elected to " + partition + " at " + leaderEpoch);
                }

                @Override
                public void resigned(int partition, OptionalInt leaderEpoch) {
                  told.add("resigned from " + partition);
                }
              }));
  private MetadataImage image = MetadataImage.EMPTY;

  private void elect(int partition) {
    MetadataDelta delta = new MetadataDelta.Builder().setImage(image).build();
    if (image.isEmpty()) {
      delta.replay(new TopicRecord().setName(TOPIC).setTopicId(ID));
    }
    delta.replay(
        new PartitionRecord()
            .setTopicId(ID)
            .setPartitionId(partition)
            .setReplicas(List.of(1))
            .setIsr(List.of(1))
            .setLeader(1)
            .setLeaderEpoch(5));
    image = delta.apply(MetadataProvenance.EMPTY);
    subscription.onImage(delta, image);
  }

  @Test
  void whoIsClosedIsElectedNoMore() {
    elect(0);
    assertThat(told).containsExactly("elected to 0 at 5");
    subscription.close();
    elect(1);
    assertThat(told).containsExactly("elected to 0 at 5");
  }
}
