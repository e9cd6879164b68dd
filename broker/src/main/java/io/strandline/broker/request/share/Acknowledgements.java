package io.strandline.broker.request.share;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.share.SharePartitions;
import io.strandline.broker.share.window.Acknowledgement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestContext;

/** Carries out the acknowledgements of a request, those that came with a fetch or alone. */
final class Acknowledgements {
  /** Version 2 of both requests brought renewals of locks (KIP-1222). */
  private static final short RENEWS_SINCE = 2;

  /**
   * Who acknowledges, and how.
   *
   * @param renews whether the request says that it renews locks
   */
  record Sender(RequestContext context, ShareSessions.Member member, boolean renews) {}

  /** Of one partition. */
  record Said(Uuid topic, int partition, List<Acknowledgement> batches) {}

  private final ControlPlane control;
  private final Guard guard;
  private final SharePartitions partitions;

  Acknowledgements(ControlPlane control, Guard guard, SharePartitions partitions) {
    this.control = control;
    this.guard = guard;
    this.partitions = partitions;
  }

  /**
   * Of one partition, on the way.
   *
   * @param error why it is not carried out
   */
  private record Judged(TopicIdPartition id, Errors error, List<Acknowledgement> batches) {}

  /** Completes with what became of each partition's; does not fail. */
  CompletableFuture<Map<TopicIdPartition, Errors>> carryOut(Sender sender, List<Said> all) {
    // Before any is carried out: a class of the user's that is asked may throw.
    List<Judged> judged = all.stream().map(said -> judge(sender, said)).toList();
    Map<TopicIdPartition, CompletableFuture<Errors>> under = new LinkedHashMap<>();
    judged.forEach(one -> under.put(one.id, carryOut(sender, one)));
    return CompletableFuture.allOf(under.values().toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              Map<TopicIdPartition, Errors> errors = new LinkedHashMap<>();
              under.forEach((id, error) -> errors.put(id, error.join()));
              return errors;
            });
  }

  private CompletableFuture<Errors> carryOut(Sender sender, Judged one) {
    if (one.error != Errors.NONE || one.batches.isEmpty()) {
      return CompletableFuture.completedFuture(one.error);
    }
    return partitions
        .acknowledge(sender.member.group(), one.id, sender.member.id(), one.batches)
        .handle((done, failure) -> failure == null ? Errors.NONE : Dispatcher.error(failure));
  }

  private Judged judge(Sender sender, Said said) {
    String name = control.view().topicName(said.topic);
    TopicIdPartition id = new TopicIdPartition(said.topic, said.partition, name);
    Errors error = name == null ? Errors.UNKNOWN_TOPIC_ID : judge(sender, id, said.batches);
    return new Judged(id, error, said.batches);
  }

  private Errors judge(Sender sender, TopicIdPartition id, List<Acknowledgement> batches) {
    if (!valid(sender, batches)) {
      return Errors.INVALID_REQUEST;
    }
    if (!guard.allowsTopic(sender.context, AclOperation.READ, id.topic())) {
      return Errors.TOPIC_AUTHORIZATION_FAILED;
    }
    TopicPartition name = id.topicPartition();
    return control.view().partition(name).isPresent()
        ? Errors.NONE
        : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }

  private static boolean valid(Sender sender, List<Acknowledgement> batches) {
    int most =
        sender.context.header.apiVersion() >= RENEWS_SINCE
            ? AcknowledgeType.RENEW.id
            : AcknowledgeType.REJECT.id;
    long before = -1;
    for (Acknowledgement batch : batches) {
      long size = batch.last() - batch.first() + 1;
      List<Byte> types = batch.types();
      if (size <= 0
          || batch.first() <= before
          || types.isEmpty()
          || (types.size() > 1 && types.size() != size)
          || types.stream().anyMatch(type -> type < 0 || type > most)
          || (types.contains(AcknowledgeType.RENEW.id) && !sender.renews)) {
        return false;
      }
      before = batch.last();
    }
    return true;
  }

  /** What a member says of a partition, from either request. */
  static final class Collector {
    private final List<Said> all = new ArrayList<>();

    void add(Uuid topic, int partition, List<Acknowledgement> batches) {
      all.add(new Said(topic, partition, batches));
    }

    List<Said> all() {
      return all;
    }
  }
}
