package io.strandline.broker.control;

import io.strandline.broker.control.config.EffectiveConfig;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.loader.LoaderManifest;
import org.apache.kafka.image.loader.MetadataLoader;
import org.apache.kafka.image.publisher.MetadataPublisher;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.server.fault.FaultHandler;

/**
 * Turns each step of the metadata into a {@link ClusterView} and passes it on. The view is set
 * before any listener hears of it. All of it runs on the loader's one thread; {@link #view()} may
 * be read by any.
 */
final class MetadataFeed {
  private final String clusterId;
  private final MetadataLoader loader;
  private final FaultHandler faults;
  private final Supplier<KRaftVersion> kraftVersion;
  private final ImageView empty;
  private final CompletableFuture<ClusterView> loaded = new CompletableFuture<>();
  private final Set<Awaited> awaited = ConcurrentHashMap.newKeySet();
  private volatile ImageView view;

  MetadataFeed(
      String clusterId,
      EffectiveConfig config,
      MetadataLoader loader,
      Supplier<KRaftVersion> kraftVersion,
      FaultHandler faults) {
    this.clusterId = clusterId;
    this.loader = loader;
    this.faults = faults;
    this.kraftVersion = kraftVersion;
    this.empty = new ImageView(clusterId, config, MetadataImage.EMPTY, kraftVersion);
    this.view = empty;
  }

  ImageView view() {
    return view;
  }

  CompletableFuture<ClusterView> loaded() {
    return loaded;
  }

  /** See {@link ControlPlane#seen}. */
  CompletableFuture<ClusterView> seen(Predicate<ClusterView> condition) {
    Awaited awaited = new Awaited(condition, new CompletableFuture<>());
    this.awaited.add(awaited);
    awaited.look(view); // after it was added: a step in between is missed by neither
    var unused = awaited.found.whenComplete((found, failure) -> this.awaited.remove(awaited));
    return awaited.found;
  }

  private record Awaited(Predicate<ClusterView> condition, CompletableFuture<ClusterView> found) {
    void look(ClusterView view) {
      if (condition.test(view)) {
        found.complete(view);
      }
    }
  }

  /** Begins to follow the metadata. */
  void start() {
    install("view", this::step);
  }

  void listen(MetadataListener listener) {
    Step step =
        new Step() {
          private ImageView before = empty;

          @Override
          public void on(MetadataDelta delta, MetadataImage image) {
            ImageView now = view;
            LocalChanges mine = LocalChanges.of(delta, before, now);
            ImageView from = before;
            before = now;
            listener.onChange(from, now, mine);
          }
        };
    install(listener.getClass().getName(), step);
  }

  void listenToImages(ImageListener listener) {
    install(listener.getClass().getName(), listener::onImage);
  }

  /** Adds one of Kafka's own publishers. */
  void add(MetadataPublisher publisher) {
    installed(publisher.name(), loader.installPublishers(List.of(publisher)));
  }

  private void step(MetadataDelta delta, MetadataImage image) {
    EffectiveConfig config = view.config();
    if (delta.configsDelta() != null) {
      config = config.with(image.configs());
    }
    view = new ImageView(clusterId, config, image, kraftVersion);
    loaded.complete(view);
    awaited.forEach(one -> one.look(view));
  }

  private void install(String name, Step step) {
    installed(
        name,
        loader.installPublishers(
            List.of(
                new MetadataPublisher() {
                  @Override
                  public String name() {
                    return "strandline " + name + " " + System.identityHashCode(step);
                  }

                  @Override
                  public void onMetadataUpdate(
                      MetadataDelta delta, MetadataImage image, LoaderManifest manifest) {
                    try {
                      step.on(delta, image);
                    } catch (RuntimeException e) {
                      faults.handleFault("a listener of the metadata failed: " + name, e);
                    }
                  }

                  @Override
                  public void close() {
                    // A listener owns nothing of the loader's.
                  }
                })));
  }

  private void installed(String name, CompletableFuture<Void> done) {
    CompletableFuture<Void> unused =
        done.whenComplete(
            (nothing, failure) -> {
              if (failure != null) {
                loaded.completeExceptionally(failure);
                faults.handleFault("the metadata can not be followed: " + name, failure);
              }
            });
  }

  /** One step of the metadata. */
  @FunctionalInterface
  private interface Step {
    void on(MetadataDelta delta, MetadataImage image);
  }
}
