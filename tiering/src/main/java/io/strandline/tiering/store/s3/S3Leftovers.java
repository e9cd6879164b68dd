package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Leftover.Kind;
import io.strandline.tiering.store.ObjectKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private static final int KEYS_MAX = 1000;

  private final S3AsyncClient client;
  private final S3Requests requests;

  S3Leftovers(S3AsyncClient client, S3Requests requests) {
    this.client = client;
    this.requests = requests;
  }

  /** One of the items that bear one key. */
  private record Item(Kind kind, String id, Instant modified, boolean latest) {}

  CompletableFuture<List<Leftover>> versions(String prefix) {
    Map<ObjectKey, List<Item>> items = new HashMap<>();
    return versions(prefix, null, null, items).thenApply(all -> old(items));
  }

  private CompletableFuture<Void> versions(
      String prefix,
      @Nullable String key,
      @Nullable String version,
      Map<ObjectKey, List<Item>> items) {
    return client
        .listObjectVersions(
            list ->
                list.bucket(requests.bucket())
                    .prefix(requests.name(prefix))
                    .maxKeys(KEYS_MAX)
                    .keyMarker(key)
                    .versionIdMarker(version))
        .thenCompose(
            page -> {
              collect(page, items);
              return Boolean.TRUE.equals(page.isTruncated())
                  ? versions(prefix, page.nextKeyMarker(), page.nextVersionIdMarker(), items)
                  : CompletableFuture.completedFuture(null);
            });
  }

  private void collect(ListObjectVersionsResponse page, Map<ObjectKey, List<Item>> items) {
    page.versions()
        .forEach(
            v ->
                add(
                    v.key(),
                    new Item(Kind.VERSION, v.versionId(), v.lastModified(), v.isLatest()),
                    items));
    page.deleteMarkers()
        .forEach(
            m ->
                add(
                    m.key(),
                    new Item(Kind.MARKER, m.versionId(), m.lastModified(), m.isLatest()),
                    items));
  }

  private void add(String name, Item item, Map<ObjectKey, List<Item>> items) {
    String key = requests.keyOf(name);
    if (ObjectKey.isKey(key)) {
      items.computeIfAbsent(ObjectKey.of(key), k -> new ArrayList<>()).add(item);
    }
  }

  /** Everything but the current object; it is old since what came after it. */
  private static List<Leftover> old(Map<ObjectKey, List<Item>> items) {
    List<Leftover> old = new ArrayList<>();
    items.forEach(
        (key, all) -> {
          all.sort(
              Comparator.comparing(Item::latest)
                  .reversed()
                  .thenComparing(Item::modified, Comparator.reverseOrder()));
          Instant since = all.get(0).modified;
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

  CompletableFuture<List<Leftover>> uploads(String prefix) {
    return uploads(prefix, null, null, new ArrayList<>());
  }

  private CompletableFuture<List<Leftover>> uploads(
      String prefix, @Nullable String key, @Nullable String upload, List<Leftover> found) {
    return client
        .listMultipartUploads(
            list ->
                list.bucket(requests.bucket())
                    .prefix(requests.name(prefix))
                    .maxUploads(KEYS_MAX)
                    .keyMarker(key)
                    .uploadIdMarker(upload))
        .thenCompose(
            page -> {
              collect(page, found);
              return Boolean.TRUE.equals(page.isTruncated())
                  ? uploads(prefix, page.nextKeyMarker(), page.nextUploadIdMarker(), found)
                  : CompletableFuture.completedFuture(found);
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
    return CompletableFuture.allOf(
            leftovers.stream()
                .filter(left -> left.kind() == Kind.UPLOAD)
                .map(this::abort)
                .toArray(CompletableFuture[]::new))
        .thenCompose(aborted -> delete(leftovers, Kind.VERSION, 0))
        .thenCompose(versions -> delete(leftovers, Kind.MARKER, 0));
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
            .limit(KEYS_MAX)
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
