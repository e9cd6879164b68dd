package io.strandline.tiering.upload;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.upload.Recompressor.Rewritten;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Makes objects of due segments, so many at a time. Each upload is written down before its put
 * begins ({@link UploadIntents}) and stays written down until {@link #committed} or {@link
 * #abandon}. A repeated upload of the same bytes goes on under the same key, until its deletion was
 * asked for.
 *
 * <p>Commits nothing, and deletes only what it uploaded and was told to abandon. Threads: any; the
 * disk executor may block.
 */
public final class Uploader {
  /**
   * What the uploader works with.
   *
   * @param disk where files are read
   * @param random names objects: no two processes may draw the same numbers
   * @param recompressor makes segments shorter before they go up
   */
  public record Services(
      ObjectStore store,
      UploadIntents intents,
      Executor disk,
      InstantSource clock,
      RandomGenerator random,
      Recompressor recompressor,
      MeterRegistry metrics) {}

  /** Which upload a repeated one repeats. */
  private record Slot(TopicIdPartition partition, int leaderEpoch, long startOffset, long end) {}

  /** What was begun under a key. */
  private record Attempt(UploadIntent intent, int crc32c, long lengthBytes) {}

  private final String cluster;
  private final Services services;
  private final Admission admission;
  private final boolean encrypted;
  private final Map<Slot, Attempt> attempts = new ConcurrentHashMap<>();

  /** Of what nobody will commit any more: the version after which the manifest can not name it. */
  private final Map<ObjectKey, Long> over = new ConcurrentHashMap<>();

  /**
   * What was rewritten and is on its way into the manifest: {@link #uploadRewritten} until
   * committed, abandoned or left. No age tells that its version can not come any more.
   */
  private final Set<ObjectKey> underWay = ConcurrentHashMap.newKeySet();

  private final Counter uploads;
  private final Counter uploadedBytes;

  /**
   * @param cluster the id under whose prefix the store lies
   */
  public Uploader(String cluster, UploadConfig config, Services services) {
    this.cluster = cluster;
    this.services = services;
    this.admission = new Admission(config.concurrency(), config.bytesInFlight());
    this.encrypted = config.encrypted();
    this.uploads = services.metrics.counter("strandline.tiering.upload.segments");
    this.uploadedBytes = services.metrics.counter("strandline.tiering.upload.bytes");
  }

  /**
   * @return completes once the object is durable; fails with a {@code StoreException}, a {@code
   *     SegmentFormatException} or an {@link UncheckedIOException}, and may then be called again
   */
  public CompletableFuture<UploadedSegment> upload(DueSegment due, int leaderEpoch) {
    return refused()
        .thenCompose(asked -> services.recompressor.rewrite(due.segment()))
        .thenCompose(
            rewritten ->
                upload(due, rewritten, leaderEpoch)
                    .whenComplete((done, failure) -> rewritten.ifPresent(Rewritten::close)));
  }

  /** Fails as a put would at once: nobody shall read a segment, let alone rewrite it, for that. */
  private CompletableFuture<Void> refused() {
    return services
        .store
        .refusal(Operation.PUT)
        .<CompletableFuture<Void>>map(CompletableFuture::failedFuture)
        .orElseGet(() -> CompletableFuture.completedFuture(null));
  }

  private CompletableFuture<UploadedSegment> upload(
      DueSegment due, Optional<Rewritten> rewritten, int leaderEpoch) {
    long bytes = due.segment().logBytes();
    // Clients set timestamps: one from the future must not wait for ever.
    long sinceMs = Math.min(due.segment().maxTimestamp(), services.clock.millis());
    return admission
        .enter(bytes, sinceMs)
        .thenCompose(admitted -> refused()) // many wait here when the store goes away
        .thenComposeAsync(admitted -> put(due, rewritten, leaderEpoch), services.disk)
        .whenComplete((uploaded, failure) -> admission.leave(bytes));
  }

  /**
   * Puts what was rewritten out of tiered segments, whose file is the caller's and stays until the
   * future completes. Blocks while the file is read; not counted among uploads, nor held to their
   * limits.
   *
   * @return as of {@link #upload}; after a failure the object is given up, another try is another
   *     object; else the caller has to say what became of it
   */
  public CompletableFuture<UploadedSegment> uploadRewritten(SegmentParts parts, int leaderEpoch)
      throws IOException {
    EncodedSegment encoded = SegmentFormat.encode(parts);
    UploadIntent intent = intent(parts.partition(), leaderEpoch, encoded);
    underWay.add(intent.object());
    try {
      services.intents.begin(intent);
    } catch (IOException | RuntimeException e) {
      underWay.remove(intent.object());
      throw e;
    }
    UploadedSegment uploaded = new UploadedSegment(encoded.entry(cluster, intent.object()));
    return CompletableFuture.completedFuture(intent.object())
        .thenCompose(object -> services.store.put(object, encoded.payload()))
        .thenApply(
            info -> {
              requireLength(info, uploaded);
              return uploaded;
            })
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                // If the delete fails the intent stays open and is resolved later.
                CompletableFuture<Void> unused = abandon(intent);
              }
            });
  }

  /** A manifest names it: nothing is open about it any more. */
  public void committed(UploadedSegment uploaded) {
    end(uploaded.entry().object());
  }

  /** Takes back the intent of an object that a manifest names, or that is left to the sweep. */
  public void settle(UploadIntent intent) {
    end(intent.object());
  }

  /** Deletes the object of an intent that no manifest names nor ever will, then takes it back. */
  public CompletableFuture<Void> abandon(UploadIntent intent) {
    return abandon(intent.object());
  }

  /** The same of what was uploaded just now. */
  public CompletableFuture<Void> abandon(UploadedSegment uploaded) {
    return abandon(uploaded.entry().object());
  }

  /** The delete may land late, whatever is answered: nothing is put under the key any more. */
  private CompletableFuture<Void> abandon(ObjectKey object) {
    over.put(object, Long.MIN_VALUE);
    underWay.remove(object);
    forgetAttempt(object);
    return services.store.delete(List.of(object)).thenRunAsync(() -> end(object), services.disk);
  }

  /**
   * Its commit failed, nobody knows how, and will not be tried again.
   *
   * @param version of the manifest that was the newest: the commit can only have made the next
   */
  public void leave(UploadedSegment uploaded, long version) {
    over.putIfAbsent(uploaded.entry().object(), version);
    underWay.remove(uploaded.entry().object());
  }

  /** Whether the manifest names it in this version or never will. */
  public boolean decided(UploadIntent intent, long version) {
    Long last = over.get(intent.object());
    return last != null && version > last;
  }

  /** Whose prefix the objects lie under. */
  public String cluster() {
    return cluster;
  }

  /** What is open of this process and of earlier ones. */
  public List<UploadIntent> openIntents() {
    return services.intents.open();
  }

  /**
   * The open ones but for those that are on their way into the manifest. To be asked before the
   * view by which they are decided: what leaves that way meanwhile is named in a view from then on.
   */
  public List<UploadIntent> undecidedIntents() {
    return services.intents.open().stream()
        .filter(intent -> !underWay.contains(intent.object()))
        .toList();
  }

  private CompletableFuture<UploadedSegment> put(
      DueSegment due, Optional<Rewritten> rewritten, int leaderEpoch) {
    try {
      return putOrConvert(due, rewritten, leaderEpoch);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(new UncheckedIOException(e));
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Old formats of batches are looked for in what does not encode only: hardly anybody has any. */
  private CompletableFuture<UploadedSegment> putOrConvert(
      DueSegment due, Optional<Rewritten> rewritten, int leaderEpoch) throws IOException {
    FileMark before =
        rewritten.isPresent() ? rewritten.get().original() : FileMark.of(due.segment().log());
    EncodedSegment encoded;
    try {
      encoded = SegmentFormat.encode(parts(due, rewritten));
    } catch (SegmentFormatException | EOFException strange) {
      Optional<Rewritten> converted =
          rewritten.isPresent()
              ? Optional.empty()
              : services.recompressor.converted(due.segment(), due.startOffset());
      if (converted.isEmpty()) {
        throw strange;
      }
      return put(due, converted, leaderEpoch)
          .whenComplete((done, failure) -> converted.get().close());
    }
    return put(due, encoded, before, leaderEpoch);
  }

  private CompletableFuture<UploadedSegment> put(
      DueSegment due, EncodedSegment encoded, FileMark before, int leaderEpoch) throws IOException {
    Path log = due.segment().log();
    Slot slot =
        new Slot(due.segment().partition(), leaderEpoch, due.startOffset(), due.endOffset());
    UploadIntent intent = begin(slot, encoded);
    UploadedSegment uploaded = new UploadedSegment(encoded.entry(cluster, intent.object()));
    return services
        .store
        .put(intent.object(), encoded.payload())
        .thenApplyAsync(info -> verified(info, uploaded, log, before), services.disk)
        .whenComplete((done, failure) -> forgetAttempt(slot, failure == null));
  }

  /** The same bytes go on under the key they began with; others must not, a late put may echo. */
  private UploadIntent begin(Slot slot, EncodedSegment encoded) throws IOException {
    Attempt earlier = attempts.get(slot);
    long length = encoded.payload().lengthBytes();
    if (earlier != null && earlier.crc32c == encoded.crc32c() && earlier.lengthBytes == length) {
      return earlier.intent;
    }
    if (earlier != null) {
      // Its object is of no use; if the delete fails the intent stays open and is resolved later.
      CompletableFuture<Void> unused = abandon(earlier.intent);
    }
    UploadIntent intent = intent(slot.partition, slot.leaderEpoch, encoded);
    services.intents.begin(intent);
    attempts.put(slot, new Attempt(intent, encoded.crc32c(), length));
    return intent;
  }

  private UploadIntent intent(TopicIdPartition partition, int leaderEpoch, EncodedSegment encoded) {
    SegmentFooter.Facts facts = encoded.footer().facts();
    return new UploadIntent(
        partition,
        SegmentId.of(partition, facts.baseOffset(), drawName()).encrypted(encrypted).key(),
        leaderEpoch,
        facts.baseOffset(),
        facts.endOffset(),
        services.clock.millis());
  }

  private static void requireLength(ObjectInfo info, UploadedSegment uploaded) {
    if (info.lengthBytes() != uploaded.entry().lengthBytes()) {
      throw new IllegalStateException("the store keeps " + info + " for " + uploaded);
    }
  }

  private UploadedSegment verified(
      ObjectInfo info, UploadedSegment uploaded, Path log, FileMark before) {
    try {
      // The store read the file after the checksum was made: was it still the same?
      if (!FileMark.of(log).equals(before)) {
        throw new IOException("the log file changed while it was uploaded");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    requireLength(info, uploaded);
    uploads.increment();
    uploadedBytes.increment((double) uploaded.entry().lengthBytes());
    return uploaded;
  }

  private void forgetAttempt(Slot slot, boolean done) {
    if (done) {
      attempts.remove(slot);
    }
  }

  private long drawName() {
    synchronized (services.random) {
      return services.random.nextLong();
    }
  }

  private void forgetAttempt(ObjectKey object) {
    attempts.values().removeIf(attempt -> attempt.intent.object().equals(object));
  }

  private void end(ObjectKey object) {
    forgetAttempt(object);
    try {
      services.intents.end(object);
      over.remove(object);
      underWay.remove(object);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static SegmentParts parts(DueSegment due, Optional<Rewritten> rewritten) {
    SealedSegment segment = due.segment();
    return new SegmentParts(
        segment.partition(),
        rewritten.map(Rewritten::file).orElse(segment.log()),
        rewritten.map(Rewritten::bytes).orElse(segment.logBytes()),
        due.startOffset(),
        segment.endOffset(),
        segment.abortedTransactions(),
        segment.leaderEpochs(),
        segment.producerSnapshot());
  }
}
