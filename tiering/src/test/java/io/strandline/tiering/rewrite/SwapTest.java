package io.strandline.tiering.rewrite;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadConfig;
import io.strandline.tiering.upload.UploadIntent;
import io.strandline.tiering.upload.UploadIntents;
import io.strandline.tiering.upload.UploadedSegment;
import io.strandline.tiering.upload.Uploader;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a rewritten object that the manifest does not take, or seems not to. */
class SwapTest {
  private static final String CLUSTER = "cluster";

  @TempDir Path dir;

  /** Whether puts and deletes are answered; puts are carried out all the same. */
  private boolean cut;

  /** Whether a put throws instead of answering. */
  private boolean closed;

  /** Whether a view can not be searched. */
  private boolean pagesLost;

  private final ObjectStore store =
      new DecoratedObjectStore(new MemoryObjectStore(Runnable::run, InstantSource.system())) {
        @Override
        protected <T> CompletableFuture<T> around(
            StoreCall call, Supplier<CompletableFuture<T>> action) {
          boolean put = call.operation() == StoreCall.Operation.PUT;
          if (put && closed) {
            throw new IllegalStateException("closed");
          }
          if (!cut || !(put || call.operation() == StoreCall.Operation.DELETE)) {
            return action.get();
          }
          CompletableFuture<StoreException> lost =
              (put ? action.get() : CompletableFuture.completedFuture(null))
                  .thenApply(done -> new StoreException.Unavailable("no answer", null));
          return lost.thenCompose(CompletableFuture::failedFuture);
        }
      };

  private final Random random = new Random(1);
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private Uploader uploader;
  private Rewriting rewriting;
  private ManifestWriter real;
  private TestLog log;
  private SegmentEntry old;

  @BeforeEach
  void tierOneSegment() throws IOException {
    uploader =
        new Uploader(
            CLUSTER,
            UploadConfig.defaults(),
            new Uploader.Services(
                store,
                UploadIntents.open(dir.resolve("intents")),
                Runnable::run,
                InstantSource.system(),
                random,
                Recompressor.none(),
                meters));
    rewriting =
        new Rewriting(
            RewriteConfig::defaults,
            new Rewriting.Services(
                store,
                OwnedStores.all(store),
                uploader,
                new Workbench(Runnable::run, dir.resolve("scratch"), () -> Long.MAX_VALUE),
                InstantSource.system()::millis,
                meters));
    log = TestLog.write(dir.resolve("log"), 1, 0, 20);
    EncodedSegment encoded = SegmentFormat.encode(log.parts());
    ObjectKey key = SegmentId.of(TestLog.PARTITION, 0, random.nextLong()).key();
    store.put(key, encoded.payload()).join();
    old = encoded.entry(CLUSTER, key);
    real =
        StoreManifests.open(
                store,
                ManifestConfig.defaults(),
                new StoreManifests.Environment(
                    InstantSource.system(), random, Runnable::run, meters))
            .acquire(TestLog.PARTITION, 1)
            .join();
    real.add(List.of(new UploadedSegment(old))).join();
  }

  /** What the manifest does with the replacement before it answers, and how it answers. */
  private CompletableFuture<ManifestView> swap(
      Function<Replacement, CompletableFuture<ManifestView>> answer) throws IOException {
    ManifestWriter writer =
        but(
            ManifestWriter.class,
            () -> real,
            (method, arguments) ->
                switch (method) {
                  case "replace" -> answer.apply((Replacement) arguments[0]);
                  case "view" -> view();
                  default -> null;
                });
    try (RewrittenFile file = rewriting.newFile(log.bytes)) {
      file.append(ByteBuffer.wrap(Files.readAllBytes(log.file)));
      return new Swap(rewriting, writer)
          .replace(
              List.of(old),
              file,
              List.of(),
              new Swap.End(List.of(new EpochStart(1, 0)), Optional.empty()),
              Compaction.NONE);
    }
  }

  private ManifestView view() {
    ManifestView view = real.view();
    return but(
        ManifestView.class,
        () -> view,
        (method, arguments) ->
            pagesLost && method.equals("find")
                ? CompletableFuture.failedFuture(new StoreException.Unavailable("no answer", null))
                : null);
  }

  /** The same as another but for the methods that are answered. */
  private <T> T but(
      Class<T> type, Supplier<T> other, BiFunction<String, Object[], @Nullable Object> answer) {
    Object made =
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object answered = answer.apply(method.getName(), arguments);
              try {
                return answered != null ? answered : method.invoke(other.get(), arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
    return type.cast(made);
  }

  private static CompletableFuture<ManifestView> refused() {
    return CompletableFuture.failedFuture(new IllegalStateException("too many are retired"));
  }

  private List<ObjectKey> segments() {
    return store.list("", "", 1000).join().objects().stream()
        .map(ObjectInfo::key)
        .filter(key -> SegmentId.parse(key).isPresent())
        .toList();
  }

  private List<ObjectKey> open() {
    return uploader.openIntents().stream().map(UploadIntent::object).toList();
  }

  @Test
  void whatIsRefusedIsNotLeftBehind() throws IOException {
    assertThat(swap(replacement -> refused()))
        .isCompletedExceptionally()
        .failsWithin(Duration.ZERO)
        .withThrowableOfType(ExecutionException.class)
        .withMessageContaining("too many are retired");
    assertThat(segments()).containsExactly(old.object());
    assertThat(open()).isEmpty();
  }

  @Test
  void norIfTheManifestHasChangedMeanwhile() throws IOException {
    swap(replacement -> {
          real.advanceStart(1).join();
          return refused();
        })
        .exceptionally(failure -> real.view())
        .join();
    assertThat(segments()).containsExactly(old.object());
    assertThat(open()).isEmpty();
  }

  @Test
  void whatIsRefusedTheSecondTimeBecauseItIsNamedAlreadyStays() throws IOException {
    swap(replacement -> real.replace(replacement).thenCompose(view -> refused()))
        .exceptionally(failure -> real.view())
        .join();
    ObjectKey named = real.view().find(0).join().orElseThrow().object();
    assertThat(named).isNotEqualTo(old.object());
    assertThat(segments()).contains(named);
    UploadIntent decidable = uploader.undecidedIntents().get(0);
    assertThat(decidable.object()).isEqualTo(named);
    assertThat(uploader.decided(decidable, real.view().version())).isTrue();
  }

  @Test
  void whatIsRefusedAtOnceIsNotLeftBehindEither() throws IOException {
    assertThat(
            swap(
                replacement -> {
                  throw new IllegalStateException("closed");
                }))
        .isCompletedExceptionally();
    assertThat(segments()).containsExactly(old.object());
    assertThat(open()).isEmpty();
  }

  @Test
  void norIsThePutThatThrows() throws IOException {
    closed = true;
    assertThat(swap(real::replace)).isCompletedExceptionally();
    assertThat(segments()).containsExactly(old.object());
    assertThat(open()).isEmpty();
  }

  @Test
  void whatNobodyCanTellNowIsDecidedWithItsIntent() throws IOException {
    pagesLost = true;
    swap(replacement -> real.replace(replacement).thenCompose(view -> refused()))
        .exceptionally(failure -> real.view())
        .join();
    assertThat(segments()).hasSize(2);
    assertThat(uploader.undecidedIntents()).hasSize(1);
    UploadIntent left = uploader.undecidedIntents().get(0);
    assertThat(uploader.decided(left, real.view().version())).isTrue();
  }

  @Test
  void andSoDoesWhatIsRetiredSinceForItsGrace() throws IOException {
    swap(replacement ->
            real.replace(replacement)
                .thenCompose(view -> real.advanceStart(view.endOffset()))
                .thenCompose(view -> refused()))
        .exceptionally(failure -> real.view())
        .join();
    assertThat(real.view().segmentCount()).isZero();
    assertThat(segments()).as("the old one and the one in its place").hasSize(2);
  }

  @Test
  void whatMayStillBeNamedStaysWithItsIntent() throws IOException {
    swap(replacement ->
            CompletableFuture.failedFuture(new StoreException.Unavailable("no answer", null)))
        .exceptionally(failure -> real.view())
        .join();
    assertThat(segments()).hasSize(2);
    assertThat(open()).hasSize(1).isSubsetOf(segments());
    UploadIntent left = uploader.openIntents().get(0);
    assertThat(uploader.decided(left, real.view().version())).isFalse();
    real.advanceStart(1).join();
    assertThat(uploader.decided(left, real.view().version())).isTrue();
  }

  /** A put that failed may have been carried out. */
  @Test
  void whatCanNotBeDeletedNowIsDecidedAllTheSame() throws IOException {
    cut = true;
    assertThat(swap(real::replace)).isCompletedExceptionally();
    assertThat(segments()).hasSize(2);
    assertThat(open()).hasSize(1).isSubsetOf(segments());
    assertThat(uploader.decided(uploader.openIntents().get(0), real.view().version())).isTrue();
  }
}
