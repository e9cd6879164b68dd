package io.strandline.broker.request.data;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.partition.meter.TopicMeters.Kind;
import io.strandline.broker.replica.FollowerFetch;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Request;
import io.strandline.replay.ReplayRead;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;

/**
 * Who fetches, a client or a follower: what it may read, from which replica, and up to where.
 *
 * @param isolation up to where
 */
record FetchReader(
    FetchAttempt.Services services, Request<FetchRequest> request, FetchIsolation isolation) {
  private static final short ANY_REPLICA_SINCE = 11;

  static FetchReader of(FetchAttempt.Services services, Request<FetchRequest> request) {
    FetchRequest body = request.body();
    return new FetchReader(
        services,
        request,
        body.isFromFollower()
            ? FetchIsolation.LOG_END
            : body.isolationLevel() == IsolationLevel.READ_COMMITTED
                ? FetchIsolation.TXN_COMMITTED
                : FetchIsolation.HIGH_WATERMARK);
  }

  /**
   * Whether it is a broker of this cluster, and not somebody who gives any number for a replica's:
   * of brokers it is remembered when they fetched.
   */
  boolean follows() {
    int replica = request.body().replicaId();
    ClusterView view = services.control().view();
    return request.body().isFromFollower()
        && (view.brokerEpoch(replica).isPresent() || view.fenced(replica))
        && services.guard().allowsCluster(request.context(), AclOperation.CLUSTER_ACTION);
  }

  /** Asked before it is looked whether there is such a topic, unless it was named by its id. */
  boolean mayRead(FetchKey key) {
    if (request.body().isFromFollower()) {
      return services.guard().allowsCluster(request.context(), AclOperation.CLUSTER_ACTION);
    }
    String topic = key.byId() ? services.control().view().topicName(key.topicId()) : key.topic();
    return topic == null
        || services.guard().allowsTopic(request.context(), AclOperation.READ, topic);
  }

  /**
   * Clients of version 11 on may be served by any replica, as they may be sent to one (KIP-392).
   */
  private boolean anyReplica() {
    return !request.body().isFromFollower() && request.version() >= ANY_REPLICA_SINCE;
  }

  /**
   * @throws org.apache.kafka.common.errors.ApiException there is no such partition, or not here
   */
  PartitionRead.Source source(FetchKey key) {
    if (request.body().isFromFollower()) {
      return leader(key);
    }
    return anyReplica() ? services.sources().replica(id(key)) : services.sources().leader(id(key));
  }

  /** A replica that others follow: only who leads has one. */
  Partition leader(FetchKey key) {
    return services.sources().hosted().leaderOrThrow(id(key));
  }

  private TopicIdPartition id(FetchKey key) {
    ClusterView view = services.control().view();
    if (key.byId()) {
      String name = view.topicName(key.topicId());
      if (name == null) {
        throw new UnknownTopicIdException("there is no topic with id " + key.topicId());
      }
      return new TopicIdPartition(key.topicId(), key.partition(), name);
    }
    Uuid id = view.topicId(key.topic());
    if (id.equals(Uuid.ZERO_UUID)) {
      throw new UnknownTopicOrPartitionException("there is no topic " + key.topic());
    }
    return new TopicIdPartition(id, key.partition(), key.topic());
  }

  /**
   * Another replica that the client is to read this one from, which leads.
   *
   * @throws org.apache.kafka.common.errors.ApiException as the read would, the client knows another
   *     leader epoch
   */
  OptionalInt nearer(PartitionRead.Source source, Interest interest) {
    return anyReplica() && source instanceof Partition partition && partition.leads()
        ? services
            .closest()
            .choose(partition, interest.leaderEpoch(), interest.fetchOffset(), request)
        : OptionalInt.empty();
  }

  /** Whether so many bytes of records may be given, by the quota of the client; 0: any. */
  boolean admits(int bytes) {
    if (request.body().isFromFollower() || services.quotas().admit(request.context(), bytes)) {
      return true;
    }
    if (request.isGone()) {
      services.quotas().gone(request.context().connectionId); // it got in line after it had left
    }
    return false;
  }

  /** Of a partition for which there was no room: how far it goes, or why it may not be read. */
  FetchPart unreached(FetchKey key) {
    try {
      return mayRead(key)
          ? FetchPart.slow(source(key).marks(isolation))
          : FetchPart.failed(Errors.TOPIC_AUTHORIZATION_FAILED, null);
    } catch (RuntimeException failure) {
      return FetchPart.failed(Dispatcher.error(failure), null);
    }
  }

  ReadRequest wanted(
      Interest interest, long offset, int room, boolean atLeastOneBatch, BooleanSupplier gone) {
    return new ReadRequest(
        offset,
        room,
        atLeastOneBatch,
        interest.leaderEpoch(),
        isolation,
        request.context().connectionId,
        wishesTier() && interest.tier().isPresent(),
        gone);
  }

  PartitionRead read(PartitionRead.Source source, ReadRequest wanted) {
    return anyReplica() ? source.readReplica(wanted) : source.read(wanted);
  }

  FetchPart history(Interest interest, PartitionRead.Marks marks, ReplayRead read) {
    boolean committedOnly = isolation == FetchIsolation.TXN_COMMITTED;
    return FetchPart.of(marks, read, committedOnly, refusesZstd(interest));
  }

  /** Whether it is told of zstd as of a failure: it may not know it, and the tier may choose it. */
  boolean refusesZstd(Interest interest) {
    PartitionRead.Source read = interest.watched();
    return OldCodecs.olderThanZstd(request.version())
        && read != null
        && services.config().recompressed().test(read.id().topic());
  }

  /** Counts records that are sent. */
  void sent(Interest interest, int bytes) {
    if (request.body().isFromFollower() && interest.watched() instanceof Partition led) {
      led.sent(request.body().replicaId(), bytes);
    } else {
      interest.mark(Kind.BYTES_OUT, bytes);
    }
  }

  /** Whether it is told how far partitions are tiered. */
  boolean followsTier() {
    return request.body().isFromFollower() || wishesTier();
  }

  /** A replay broker: what it has not heard of yet may have left the hot log meanwhile. */
  private boolean wishesTier() {
    return TierMark.wished(request.body().data().unknownTaggedFields());
  }

  /**
   * Takes in where a follower is with those that have not been looked at: it is at the offset that
   * it asks for, whether or not there is room for what lies there, and who waits for the high
   * watermark would wait until the others' records are through.
   */
  void locate(List<Interest> interests, long arrivedMs) {
    for (Interest interest : interests) {
      if (interest.part() == null) {
        locate(interest, arrivedMs);
      }
    }
  }

  private void locate(Interest interest, long arrivedMs) {
    try {
      leader(interest.key())
          .followerIsAt(
              wanted(interest, interest.fetchOffset(), 0, false, () -> false),
              follower(interest, arrivedMs),
              interest.lastFetchedEpoch());
    } catch (ApiException refused) {
      // Told when it is read.
    }
  }

  /** What a follower's fetch says of its replica. */
  FollowerFetch follower(Interest interest, long arrivedMs) {
    FetchRequest body = request.body();
    return new FollowerFetch(
        body.replicaId(),
        body.replicaEpoch(),
        interest.leaderEpoch().orElse(-1),
        interest.fetchOffset(),
        interest.logStartOffset(),
        arrivedMs);
  }
}
