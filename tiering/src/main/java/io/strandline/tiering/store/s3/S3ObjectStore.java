package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.s3.receive.Receiver;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.Delete;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A store in a bucket. Conditions are S3's own, on single PUTs only: {@code If-None-Match: *} and
 * {@code If-Match} with the bare ETag, which older servers want and all accept.
 *
 * <p>An ETag is usually a hash of the content: it does not change when the same bytes are written
 * again. Tries once; whoever wants more wraps it.
 */
public final class S3ObjectStore implements ObjectStore {
  private static final int DELETE_KEYS_MAX = 1000;

  private final S3Location location;
  private final S3Requests requests;
  private final S3AsyncClient client;
  private final Optional<DirectGets> direct;
  private final S3Config config;
  private final Executor executor;
  private final InstantSource clock;

  /**
   * @param executor completes the futures and reads files: it may block
   * @param clock only where the store does not tell its own
   * @throws IllegalArgumentException if the SDK cannot make a client of it: no region
   */
  public S3ObjectStore(
      S3Location location,
      S3Config config,
      Executor executor,
      ScheduledExecutorService scheduler,
      InstantSource clock) {
    this.location = location;
    this.requests = new S3Requests(location);
    this.config = config;
    this.executor = executor;
    this.clock = clock;
    try {
      this.client = S3Clients.create(location.options(), config, executor, scheduler);
      this.direct =
          S3Clients.receiving(location.options(), config)
              .map(
                  receiving ->
                      new DirectGets(receiving, new SignedGets(client, requests, clock), executor));
    } catch (software.amazon.awssdk.core.exception.SdkException e) {
      throw new IllegalArgumentException(
          "cannot open " + location.describe() + ": " + e.getMessage(), e);
    }
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    if (payload.lengthBytes() <= config.multipart().aboveBytes()) {
      return put(Operation.PUT, requests.put(key, payload), key, payload);
    }
    var put = new MultipartPut(client, requests, executor, config.multipart());
    return answer(
        Operation.PUT,
        key.value(),
        put.put(key, payload),
        done -> S3Answers.written(key, payload.lengthBytes(), done.eTag(), done, clock));
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return put(Operation.PUT_IF_ABSENT, requests.put(key, payload).ifNoneMatch("*"), key, payload);
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return put(Operation.REPLACE, requests.put(key, payload).ifMatch(etag), key, payload);
  }

  private CompletableFuture<ObjectInfo> put(
      Operation operation, PutObjectRequest.Builder request, ObjectKey key, Payload payload) {
    return answer(
        operation,
        key.value(),
        client.putObject(request.build(), new PayloadBody(payload, executor)),
        done -> S3Answers.written(key, payload.lengthBytes(), done.eTag(), done, clock));
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    return get(new ReadRange(key, positionBytes, lengthBytes), () -> Body.onHeap(lengthBytes));
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    Landing.Try begun = landing.begin();
    return get(range, () -> Body.on(landing, begun, range.lengthBytes()));
  }

  private <T> CompletableFuture<T> get(ReadRange range, Supplier<Body<T>> place) {
    CompletableFuture<T> asked =
        direct.isPresent()
            ? direct.get().get(range, head -> opened(range, head, place), () -> bySdk(range, place))
            : bySdk(range, place);
    return answer(Operation.GET, range.key().value(), asked, landed -> landed);
  }

  private <T> CompletableFuture<T> bySdk(ReadRange range, Supplier<Body<T>> place) {
    return client.getObject(
        requests.get(range),
        new BodyTransformer<>(
            response -> opened(range, response.eTag(), response.contentLength(), place)));
  }

  private static <T> Body<T> opened(ReadRange range, Receiver.Head head, Supplier<Body<T>> place) {
    Long length = head.field("Content-Length").map(Long::valueOf).orElse(null);
    return opened(range, head.field("ETag").orElse(null), length, place);
  }

  private static <T> Body<T> opened(
      ReadRange range, @Nullable String etag, @Nullable Long announced, Supplier<Body<T>> place) {
    String unused = S3Answers.etag(range.key(), etag);
    if (announced == null) {
      throw S3Answers.strange("an answer about " + range.key() + " without a length");
    }
    if (announced < range.lengthBytes()) {
      throw range.outOfRange("the store gave " + announced);
    }
    if (announced > range.lengthBytes()) {
      throw new StoreException.Refused(range.key() + ": the store ignores ranges", null);
    }
    return place.get();
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    var body = new BodyTransformer<>(response -> Body.onHeap(expected(key, limitBytes, response)));
    return answer(
        Operation.GET, key.value(), client.getObject(requests.get(key), body), bytes -> bytes);
  }

  private static int expected(ObjectKey key, int limitBytes, GetObjectResponse response) {
    String unused = S3Answers.etag(key, response.eTag());
    long announced = response.contentLength();
    if (announced > limitBytes) {
      throw new StoreException.OutOfRange(
          key + " has " + announced + " bytes, more than " + limitBytes);
    }
    return (int) announced;
  }

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    var asked = client.headObject(head -> head.bucket(requests.bucket()).key(requests.name(key)));
    CompletableFuture<Optional<ObjectInfo>> found =
        answer(
            Operation.HEAD,
            key.value(),
            asked,
            head ->
                Optional.of(
                    new ObjectInfo(
                        key,
                        head.contentLength(),
                        S3Answers.etag(key, head.eTag()),
                        head.lastModified())));
    return found.exceptionallyCompose(
        thrown ->
            StoreException.of(thrown) instanceof StoreException.NotFound
                ? CompletableFuture.completedFuture(Optional.empty())
                : CompletableFuture.failedFuture(StoreException.of(thrown)));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    Page.checkLimit(limit);
    // What lies below the prefix is all above it, and an empty start-after is no start-after.
    String from = after.compareTo(prefix) < 0 ? "" : requests.name(after);
    return listFrom(prefix, from, limit);
  }

  private CompletableFuture<Page> listFrom(String prefix, String from, int limit) {
    var asked =
        client.listObjectsV2(
            list -> {
              list.bucket(requests.bucket()).prefix(requests.name(prefix)).maxKeys(limit);
              if (!from.isEmpty()) {
                list.startAfter(from);
              }
            });
    return answer(Operation.LIST, prefix, asked, answer -> S3Answers.listing(prefix, answer))
        .thenCompose(answer -> page(prefix, answer, limit));
  }

  /** A page of nothing but others' objects is no page: its reader could not go on from it. */
  private CompletableFuture<Page> page(String prefix, ListObjectsV2Response answer, int limit) {
    List<ObjectInfo> objects = new ArrayList<>();
    for (S3Object object : answer.contents()) {
      String key = requests.keyOf(object.key());
      if (ObjectKey.isKey(key)) {
        objects.add(
            new ObjectInfo(
                ObjectKey.of(key),
                object.size(),
                S3Answers.bare(object.eTag()),
                object.lastModified()));
      }
    }
    boolean more = Boolean.TRUE.equals(answer.isTruncated());
    if (objects.isEmpty() && more && !answer.contents().isEmpty()) {
      String last = answer.contents().get(answer.contents().size() - 1).key();
      return listFrom(prefix, last, limit);
    }
    return CompletableFuture.completedFuture(new Page(objects, more));
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    List<ObjectKey> all = List.copyOf(keys);
    List<CompletableFuture<?>> requested = new ArrayList<>();
    for (int from = 0; from < all.size(); from += DELETE_KEYS_MAX) {
      requested.add(deleteSome(all.subList(from, Math.min(all.size(), from + DELETE_KEYS_MAX))));
    }
    CompletableFuture<Void> done =
        CompletableFuture.allOf(requested.toArray(CompletableFuture<?>[]::new));
    return done.exceptionallyCompose(
        thrown -> CompletableFuture.failedFuture(StoreException.of(thrown)));
  }

  private CompletableFuture<?> deleteSome(List<ObjectKey> keys) {
    if (keys.size() == 1) {
      ObjectKey key = keys.get(0);
      return answer(
          Operation.DELETE,
          key.value(),
          client.deleteObject(one -> one.bucket(requests.bucket()).key(requests.name(key))),
          done -> done);
    }
    Delete names =
        Delete.builder()
            .quiet(true)
            .objects(
                keys.stream()
                    .map(key -> ObjectIdentifier.builder().key(requests.name(key)).build())
                    .toList())
            .build();
    return answer(
        Operation.DELETE,
        keys.size() + " objects",
        client.deleteObjects(many -> many.bucket(requests.bucket()).delete(names)),
        S3ObjectStore::checked);
  }

  static DeleteObjectsResponse checked(DeleteObjectsResponse answer) {
    for (S3Error error : answer.errors()) {
      if (!"NoSuchKey".equals(error.code())) {
        String message = "delete " + error.key() + ": " + error.code() + " " + error.message();
        throw "AccessDenied".equals(error.code())
            ? new StoreException.Refused(message, null)
            : new StoreException.Unavailable(message, null);
      }
    }
    return answer;
  }

  @Override
  public CompletableFuture<Leftover.Page> leftovers(
      String prefix, Leftover.Of of, Leftover.After after) {
    S3Leftovers leftovers = new S3Leftovers(client, requests, config.pageKeys());
    CompletableFuture<Leftover.Page> asked =
        of == Leftover.Of.VERSIONS
            ? leftovers.versions(prefix, after)
            : leftovers.uploads(prefix, after);
    return answer(Operation.LIST, prefix, asked, found -> found);
  }

  @Override
  public CompletableFuture<Void> purge(Collection<Leftover> leftovers) {
    List<Leftover> all = List.copyOf(leftovers);
    String subject = all.size() + " leftovers";
    CompletableFuture<Void> purged =
        new S3Leftovers(client, requests, config.pageKeys()).purge(all);
    return CompletableFuture.allOf(answer(Operation.DELETE, subject, purged, done -> all))
        .exceptionallyCompose(thrown -> CompletableFuture.failedFuture(StoreException.of(thrown)));
  }

  @Override
  public String describe() {
    return location.describe();
  }

  /** Returns at once: the client's Netty takes two quiet seconds to end, in its daemon threads. */
  @Override
  public void close() {
    try {
      executor.execute(this::closeClients);
    } catch (RejectedExecutionException e) {
      closeClients();
    }
  }

  private void closeClients() {
    direct.ifPresent(DirectGets::close);
    client.close();
  }

  private interface Reading<T, R> {
    R read(T answer);
  }

  private static <T, R> CompletableFuture<R> answer(
      Operation operation, String subject, CompletableFuture<T> asked, Reading<T, R> reading) {
    CompletableFuture<R> outer = new CompletableFuture<>();
    CompletableFuture<?> unused =
        outer.whenComplete(
            (value, thrown) -> {
              if (outer.isCancelled()) {
                asked.cancel(true);
              }
            });
    CompletableFuture<?> unusedToo =
        asked.whenComplete(
            (value, thrown) -> {
              if (thrown != null) {
                outer.completeExceptionally(S3Errors.explain(operation, subject, thrown));
                return;
              }
              try {
                outer.complete(reading.read(value));
              } catch (RuntimeException e) {
                outer.completeExceptionally(S3Errors.explain(operation, subject, e));
              }
            });
    return outer;
  }
}
