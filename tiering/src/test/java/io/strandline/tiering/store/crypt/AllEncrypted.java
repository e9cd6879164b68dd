package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Gives every object a name that is encrypted, and takes it away again. */
final class AllEncrypted implements ObjectStore {
  private final ObjectStore inner;

  AllEncrypted(ObjectStore inner) {
    this.inner = inner;
  }

  private static ObjectKey in(ObjectKey key) {
    return ObjectKey.of(key.value() + EncryptedObjectStore.SUFFIX);
  }

  private static ObjectInfo out(ObjectInfo info) {
    String name = info.key().value();
    int end = name.length() - EncryptedObjectStore.SUFFIX.length();
    return new ObjectInfo(
        ObjectKey.of(name.substring(0, end)), info.lengthBytes(), info.etag(), info.modified());
  }

  @Override
  public CompletableFuture<ObjectInfo> put(ObjectKey key, Payload payload) {
    return inner.put(in(key), payload).thenApply(AllEncrypted::out);
  }

  @Override
  public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
    return inner.putIfAbsent(in(key), payload).thenApply(AllEncrypted::out);
  }

  @Override
  public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
    return inner.replace(in(key), payload, etag).thenApply(AllEncrypted::out);
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
    return inner.get(in(key), positionBytes, lengthBytes);
  }

  @Override
  public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
    return inner.get(
        new ReadRange(in(range.key()), range.positionBytes(), range.lengthBytes()), landing);
  }

  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    return inner.get(in(key), limitBytes);
  }

  @Override
  public CompletableFuture<Optional<ObjectInfo>> head(ObjectKey key) {
    return inner.head(in(key)).thenApply(info -> info.map(AllEncrypted::out));
  }

  @Override
  public CompletableFuture<Page> list(String prefix, String after, int limit) {
    // The suffix changes the order of names, so all are sorted here.
    List<ObjectInfo> all = new ArrayList<>();
    Page page = new Page(List.of(), true);
    while (page.more()) {
      String last =
          page.objects().isEmpty()
              ? ""
              : page.objects().get(page.objects().size() - 1).key().value();
      page = inner.list(prefix, last, 1000).join();
      page.objects().forEach(info -> all.add(out(info)));
    }
    List<ObjectInfo> found =
        all.stream()
            .filter(info -> info.key().value().compareTo(after) > 0)
            .sorted(Comparator.comparing(ObjectInfo::key))
            .toList();
    Page.checkLimit(limit);
    return CompletableFuture.completedFuture(
        new Page(found.subList(0, Math.min(limit, found.size())), found.size() > limit));
  }

  @Override
  public CompletableFuture<Void> delete(Collection<ObjectKey> keys) {
    return inner.delete(keys.stream().map(AllEncrypted::in).toList());
  }

  @Override
  public String describe() {
    return inner.describe();
  }

  @Override
  public void close() {
    inner.close();
  }
}
