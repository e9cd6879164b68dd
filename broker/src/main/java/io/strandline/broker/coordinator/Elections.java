package io.strandline.broker.coordinator;

import io.strandline.broker.control.ImageListener;
import java.util.OptionalInt;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.TopicDelta;

/**
 * Tells a coordinator which partitions of its topic it has won and lost. On the thread of the
 * metadata: whoever is told must not wait.
 */
public final class Elections implements ImageListener {

  /** Who is elected. */
  public interface Candidate {
    void elected(int partition, int leaderEpoch);

    /**
     * @param leaderEpoch of the next leader; empty when the partition was deleted
     */
    void resigned(int partition, OptionalInt leaderEpoch);
  }

  private final String topic;
  private final int nodeId;
  private final Candidate candidate;

  public Elections(String topic, int nodeId, Candidate candidate) {
    this.topic = topic;
    this.nodeId = nodeId;
    this.candidate = candidate;
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (delta.topicsDelta() == null) {
      return;
    }
    if (delta.topicsDelta().topicWasDeleted(topic)) {
      resignAll(delta);
    }
    var now = image.topics().getTopic(topic);
    TopicDelta changed = now == null ? null : delta.topicsDelta().changedTopic(now.id());
    if (changed != null) {
      follow(changed);
    }
  }

  private void resignAll(MetadataDelta delta) {
    delta
        .topicsDelta()
        .image()
        .getTopic(topic)
        .partitions()
        .forEach(
            (partition, registration) -> {
              if (registration.leader == nodeId) {
                candidate.resigned(partition, OptionalInt.empty());
              }
            });
  }

  private void follow(TopicDelta changed) {
    var mine = changed.localChanges(nodeId);
    mine.deletes().forEach(tp -> candidate.resigned(tp.partition(), OptionalInt.empty()));
    mine.electedLeaders()
        .forEach((tp, now) -> candidate.elected(tp.partition(), now.partition().leaderEpoch));
    mine.followers()
        .forEach(
            (tp, now) ->
                candidate.resigned(tp.partition(), OptionalInt.of(now.partition().leaderEpoch)));
  }
}
