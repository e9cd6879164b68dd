package io.strandline.broker.control.snapshot;

import io.strandline.broker.control.ImageListener;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;

/**
 * The metadata as this node last heard of it, whenever a backup of it is wanted. Listens on the
 * loader's thread; the other methods belong to one caller at a time.
 */
public final class SnapshotSource implements ImageListener {
  private volatile MetadataImage latest = MetadataImage.EMPTY;
  private volatile long changedAt = -1;
  private MetadataImage offered = MetadataImage.EMPTY;
  private MetadataImage kept = MetadataImage.EMPTY;

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (says(delta)) {
      changedAt = image.offset();
    }
    latest = image;
  }

  /** Offset of the last record known here that changed anything; -1 before the first. */
  public long changedAt() {
    return changedAt;
  }

  private static boolean says(MetadataDelta delta) {
    return Stream.of(
            delta.featuresDelta(),
            delta.clusterDelta(),
            delta.topicsDelta(),
            delta.configsDelta(),
            delta.clientQuotasDelta(),
            delta.producerIdsDelta(),
            delta.aclsDelta(),
            delta.scramDelta(),
            delta.delegationTokenDelta())
        .anyMatch(Objects::nonNull);
  }

  /** A snapshot of now, unless the one last kept says the same. */
  public Optional<MetadataSnapshot> changed() {
    MetadataImage now = latest;
    if (now.isEmpty() || now.features().metadataVersion().isEmpty() || same(now, kept)) {
      return Optional.empty();
    }
    offered = now;
    return Optional.of(SnapshotCodec.encode(now));
  }

  /** What was last offered is safe. */
  public void kept() {
    kept = offered;
  }

  /** Where and when are not compared: an idle quorum moves on too. Equal parts are mostly one. */
  private static boolean same(MetadataImage a, MetadataImage b) {
    return a.features().equals(b.features())
        && a.cluster().equals(b.cluster())
        && a.topics().equals(b.topics())
        && a.configs().equals(b.configs())
        && a.clientQuotas().equals(b.clientQuotas())
        && a.producerIds().equals(b.producerIds())
        && a.acls().equals(b.acls())
        && a.scram().equals(b.scram())
        && a.delegationTokens().equals(b.delegationTokens());
  }
}
