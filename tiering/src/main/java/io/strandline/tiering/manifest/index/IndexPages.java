package io.strandline.tiering.manifest.index;

import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Crc32C;

/**
 * Index pages in the store, behind a cache bounded by bytes; whoever asks for a page that is being
 * read waits for that read. Threads: any.
 */
public final class IndexPages {
  /** Decoded, a page takes about so many times its encoded length. */
  private static final int DECODED_FACTOR = 4;

  private record Key(TopicIdPartition partition, PageRef.Name name) {}

  private record Cached(IndexPage page, long weightBytes) {}

  private final ObjectStore store;
  private final Paging paging;
  private final long cacheBytes;
  private final Executor executor;

  private final Object lock = new Object();
  private final Map<Key, Cached> cache = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<Key, CompletableFuture<IndexPage>> reading = new HashMap<>();
  private long cachedBytes;

  public IndexPages(ObjectStore store, Paging paging, long cacheBytes, Executor executor) {
    this.store = store;
    this.paging = paging;
    this.cacheBytes = cacheBytes;
    this.executor = executor;
  }

  /** How many items a page gets that is written now. */
  public int pageItems() {
    return paging.pageItems();
  }

  /**
   * The page, from memory if it is there.
   *
   * @return fails with {@link CorruptManifestException} if it is not the one referred to, and as
   *     the store does: {@code NotFound} means that the version which referred to it is long gone
   */
  public CompletableFuture<IndexPage> load(TopicIdPartition partition, PageRef ref) {
    Key key = new Key(partition, ref.name());
    CompletableFuture<IndexPage> read = new CompletableFuture<>();
    synchronized (lock) {
      Cached cached = cache.get(key);
      if (cached != null) {
        return CompletableFuture.completedFuture(cached.page());
      }
      CompletableFuture<IndexPage> other = reading.putIfAbsent(key, read);
      if (other != null) {
        return other.copy();
      }
    }
    CompletableFuture<IndexPage> unused =
        store
            .get(ManifestKeys.page(partition, ref), 0, ref.lengthBytes())
            .thenApplyAsync(bytes -> decode(ref, bytes), executor)
            .whenComplete(
                (page, failure) -> {
                  synchronized (lock) {
                    reading.remove(key, read);
                    if (page != null) {
                      keep(key, page, ref.lengthBytes());
                    }
                  }
                  if (page != null) {
                    read.complete(page);
                  } else {
                    read.completeExceptionally(failure);
                  }
                });
    return read.copy();
  }

  /** Writes a page under a name that was never used; the future's page is durable. */
  public CompletableFuture<PageRef> write(
      TopicIdPartition partition, Uuid writer, int sequence, IndexPage page) {
    ByteBuffer bytes = EntryCodec.encode(page);
    PageRef ref =
        new PageRef(
            writer,
            sequence,
            page.level(),
            bytes.remaining(),
            (int) Crc32C.compute(bytes, 0, bytes.remaining()),
            page.baseOffset(),
            page.endOffset(),
            page.maxTimestamp(),
            page.segmentCount(),
            page.segmentBytes());
    return store
        .put(ManifestKeys.page(partition, ref), Payload.of(bytes))
        .thenApply(
            info -> {
              synchronized (lock) {
                keep(new Key(partition, ref.name()), page, ref.lengthBytes());
              }
              return ref;
            });
  }

  private static IndexPage decode(PageRef ref, ByteBuffer bytes) {
    if (bytes.remaining() != ref.lengthBytes()
        || (int) Crc32C.compute(bytes, 0, bytes.remaining()) != ref.crc32c()) {
      throw new CorruptManifestException("index page " + ref.name() + " is not what was written");
    }
    IndexPage page = EntryCodec.decodePage(bytes);
    if (page.level() != ref.level() || page.segmentCount() != ref.segments()) {
      throw new CorruptManifestException("index page " + ref.name() + " is another one");
    }
    return page;
  }

  private void keep(Key key, IndexPage page, int lengthBytes) {
    long weight = (long) lengthBytes * DECODED_FACTOR;
    if (weight > cacheBytes || cache.containsKey(key)) {
      return;
    }
    cache.put(key, new Cached(page, weight));
    cachedBytes += weight;
    var eldest = cache.values().iterator();
    while (cachedBytes > cacheBytes && eldest.hasNext()) {
      cachedBytes -= eldest.next().weightBytes();
      eldest.remove();
    }
  }
}
