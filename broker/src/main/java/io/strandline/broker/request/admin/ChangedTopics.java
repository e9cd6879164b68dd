package io.strandline.broker.request.admin;

import io.strandline.broker.control.ClusterView;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.CreatePartitionsRequest;
import org.apache.kafka.common.requests.CreatePartitionsResponse;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.DeleteTopicsResponse;

/** What the controller has done to topics, as a view of the cluster shows it. */
final class ChangedTopics {
  private ChangedTopics() {}

  /** Whether a view has what was done for a request; always, if that was nothing. */
  static Predicate<ClusterView> known(AbstractRequest asked, AbstractResponse answer) {
    List<Predicate<ClusterView>> all = new ArrayList<>();
    if (asked instanceof CreateTopicsRequest request
        && !request.data().validateOnly()
        && answer instanceof CreateTopicsResponse response) {
      response.data().topics().stream()
          .filter(topic -> topic.errorCode() == Errors.NONE.code())
          .forEach(topic -> all.add(made(topic)));
    } else if (asked instanceof CreatePartitionsRequest request
        && !request.data().validateOnly()
        && answer instanceof CreatePartitionsResponse response) {
      response.data().results().stream()
          .filter(topic -> topic.errorCode() == Errors.NONE.code())
          .forEach(topic -> all.add(grown(topic, request)));
    } else if (answer instanceof DeleteTopicsResponse response) {
      response.data().responses().stream()
          .filter(topic -> topic.errorCode() == Errors.NONE.code())
          .forEach(topic -> all.add(deleted(topic)));
    }
    return view -> all.stream().allMatch(one -> one.test(view));
  }

  /** Before version 7 the answer has no id. */
  private static Predicate<ClusterView> made(CreatableTopicResult topic) {
    return topic.topicId().equals(Uuid.ZERO_UUID)
        ? view -> !view.topicId(topic.name()).equals(Uuid.ZERO_UUID)
        : view -> view.topicName(topic.topicId()) != null;
  }

  private static Predicate<ClusterView> grown(
      CreatePartitionsTopicResult topic, CreatePartitionsRequest request) {
    int last = request.data().topics().find(topic.name()).count() - 1;
    TopicPartition partition = new TopicPartition(topic.name(), last);
    return view -> view.partition(partition).isPresent();
  }

  /** Before version 6 the answer has no id. */
  private static Predicate<ClusterView> deleted(DeletableTopicResult topic) {
    return topic.topicId().equals(Uuid.ZERO_UUID)
        ? view -> view.topicId(topic.name()).equals(Uuid.ZERO_UUID)
        : view -> view.topicName(topic.topicId()) == null;
  }
}
