package io.strandline.broker.control;

import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;

/**
 * Follows Kafka's own form of the metadata, for the parts of Kafka that want it as it is (group and
 * share coordinators, authorizer, quotas). Same thread and same rules as {@link MetadataListener}.
 */
@FunctionalInterface
public interface ImageListener {

  /**
   * The metadata moved on by {@code delta} and is now {@code image}; the first call leads from the
   * empty image.
   */
  void onImage(MetadataDelta delta, MetadataImage image);
}
