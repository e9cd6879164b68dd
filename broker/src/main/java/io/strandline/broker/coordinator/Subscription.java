package io.strandline.broker.coordinator;

import io.strandline.broker.control.ImageListener;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;

/**
 * Hands the metadata on to a coordinator until it is closed: the metadata itself goes on while the
 * node stops, and a coordinator that is closed refuses to be elected.
 *
 * <p>Threads: that of the metadata, and whoever closes it.
 */
public final class Subscription implements ImageListener, AutoCloseable {
  private final ImageListener coordinator;
  private boolean closed; // guarded by this

  public Subscription(ImageListener coordinator) {
    this.coordinator = coordinator;
  }

  @Override
  public synchronized void onImage(MetadataDelta delta, MetadataImage image) {
    if (!closed) {
      coordinator.onImage(delta, image);
    }
  }

  /** Waits for what is being handed on; nothing is from then on. */
  @Override
  public synchronized void close() {
    closed = true;
  }
}
