package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Leftover.After;
import io.strandline.tiering.store.Leftover.Kind;
import io.strandline.tiering.store.ObjectKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.model.Delete;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.ListMultipartUploadsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

/**
 * What a bucket keeps beside its objects: versions, where versioning is or was on, and uploads in
 * parts. Fails with the SDK's exceptions.
 */
final class S3Leftovers {
  private static final int DELETE_KEYS_MAX = 1000;
  private static final int ABORTS_AT_ONCE = 8;

  private final S3AsyncClient client;
  private final S3Requests requests;
  private final int pageKeys;

  S3Leftovers(S3AsyncClient client, S3Requests requests, int pageKeys) {
    this.client = client;
    this.requests = requests;
    this.pageKeys = pageKeys;
  }

  /** One of the items that bear one key. */
  private record Item(Kind kind, String id, Instant modified, boolean latest) {}

  CompletableFuture<Leftover.Page> versions(String prefix, After after) {
    return client
        .listObjectVersions(
            list ->
                list.bucket(requests.bucket())
                    .prefix(requests.name(prefix))
                    .maxKeys(pageKeys)
                    .keyMarker(orNull(after.key()))
                    .versionIdMarker(orNull(after.id())))
        .thenApply(page -> page(page, after));
  }

  private static @Nullable String orNull(@Nullable String marker) {
    return marker == null || marker.isEmpty() ? null : marker;
  }

  private static String orEmpty(@Nullable String marker) {
    return marker == null ? "" : marker;
  }

  private Leftover.Page page(ListObjectVersionsResponse answer, After after) {
    TreeMap<String, List<Item>> items = new TreeMap<>();
    collect(answer, items);
    List<Leftover> old = old(items, after);
    if (!Boolean.TRUE.equals(answer.isTruncated())) {
      return new Leftover.Page(old, Optional.empty());
    }
    After next =
        new After(
            orEmpty(answer.nextKeyMarker()),
            orEmpty(answer.nextVersionIdMarker()),
            items.isEmpty() ? after.lastKey() : items.lastKey(),
            items.isEmpty() ? after.lastSince() : oldest(items.lastEntry().getValue()));
    return new Leftover.Page(old, Optional.of(next));
  }

  private static Instant oldest(List<Item> items) {
    return items.stream().map(Item::modified).min(Comparator.naturalOrder()).orElseThrow();
  }

  private static void collect(ListObjectVersionsResponse page, Map<String, List<Item>> items) {
    page.versions()
        .forEach(
            v ->
                items
                    .computeIfAbsent(v.key(), k -> new ArrayList<>())
                    .add(new Item(Kind.VERSION, v.versionId(), v.lastModified(), v.isLatest())));
    page.deleteMarkers()
        .forEach(
            m ->
                items
                    .computeIfAbsent(m.key(), k -> new ArrayList<>())
                    .add(new Item(Kind.MARKER, m.versionId(), m.lastModified(), m.isLatest())));
  }

  /** Everything but the current object; it is old since what came after it. */
  private List<Leftover> old(SortedMap<String, List<Item>> items, After after) {
    List<Leftover> old = new ArrayList<>();
    items.forEach(
        (name, all) -> {
          String keyName = requests.keyOf(name);
          if (!ObjectKey.isKey(keyName)) {
            return;
          }
          ObjectKey key = ObjectKey.of(keyName);
          all.sort(
              Comparator.comparing(Item::latest)
                  .reversed()
                  .thenComparing(Item::modified, Comparator.reverseOrder()));
          Instant since = name.equals(after.lastKey()) ? after.lastSince() : all.get(0).modified;
          for (Item item : all) {
            boolean current = item.latest && item.kind == Kind.VERSION;
            if (!current) {
              old.add(new Leftover(item.kind, key, item.id, item.latest ? item.modified : since));
            }
            since = item.modified;
          }
        });
    return old;
  }

  CompletableFuture<Leftover.Page> uploads(String prefix, After after) {
    return client
        .listMultipartUploads(
            list ->
                list.bucket(requests.bucket())
                    .prefix(requests.name(prefix))
                    .maxUploads(pageKeys)
                    .keyMarker(orNull(after.key()))
                    .uploadIdMarker(orNull(after.id())))
        .thenApply(
            answer -> {
              List<Leftover> found = new ArrayList<>();
              collect(answer, found);
              return new Leftover.Page(
                  found,
                  Boolean.TRUE.equals(answer.isTruncated())
                      ? Optional.of(
                          new After(
                              orEmpty(answer.nextKeyMarker()),
                              orEmpty(answer.nextUploadIdMarker()),
                              "",
                              Instant.EPOCH))
                      : Optional.empty());
            });
  }

  private void collect(ListMultipartUploadsResponse page, List<Leftover> found) {
    page.uploads()
        .forEach(
            upload -> {
              String key = requests.keyOf(upload.key());
              if (ObjectKey.isKey(key)) {
                found.add(
                    new Leftover(
                        Kind.UPLOAD, ObjectKey.of(key), upload.uploadId(), upload.initiated()));
              }
            });
  }

  /** Versions before markers: a marker that goes first would bring its object back. */
  CompletableFuture<Void> purge(List<Leftover> leftovers) {
    List<Leftover> uploads = leftovers.stream().filter(left -> left.kind() == Kind.UPLOAD).toList();
    return abort(uploads, 0)
        .thenCompose(aborted -> delete(leftovers, Kind.VERSION, 0))
        .thenCompose(versions -> delete(leftovers, Kind.MARKER, 0));
  }

  /** A request each: some at a time, for a page of them would wait for connections in vain. */
  private CompletableFuture<Void> abort(List<Leftover> uploads, int from) {
    if (from >= uploads.size()) {
      return CompletableFuture.completedFuture(null);
    }
    int to = Math.min(uploads.size(), from + ABORTS_AT_ONCE);
    return CompletableFuture.allOf(
            uploads.subList(from, to).stream().map(this::abort).toArray(CompletableFuture[]::new))
        .thenCompose(aborted -> abort(uploads, to));
  }

  private CompletableFuture<?> abort(Leftover upload) {
    return client
        .abortMultipartUpload(
            abort ->
                abort
                    .bucket(requests.bucket())
                    .key(requests.name(upload.key()))
                    .uploadId(upload.id()))
        .handle(
            (done, thrown) -> {
              if (thrown != null && !S3Errors.isNoSuchUpload(thrown)) {
                throw new java.util.concurrent.CompletionException(thrown);
              }
              return done;
            });
  }

  private CompletableFuture<Void> delete(List<Leftover> leftovers, Kind kind, int from) {
    List<ObjectIdentifier> names =
        leftovers.stream()
            .filter(left -> left.kind() == kind)
            .skip(from)
            .limit(DELETE_KEYS_MAX)
            .map(
                left ->
                    ObjectIdentifier.builder()
                        .key(requests.name(left.key()))
                        .versionId(left.id())
                        .build())
            .toList();
    if (names.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    CompletableFuture<DeleteObjectsResponse> deleted =
        client.deleteObjects(
            many ->
                many.bucket(requests.bucket())
                    .delete(Delete.builder().quiet(true).objects(names).build()));
    return deleted
        .thenApply(S3ObjectStore::checked)
        .thenCompose(done -> delete(leftovers, kind, from + names.size()));
  }
}
