package io.strandline.tiering.store.file;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** A process that writes to a store it shares with others. */
final class FileStoreWriter {
  static final ObjectKey COUNTER = ObjectKey.of("counter");

  private final ObjectStore store;
  private final String name;

  private FileStoreWriter(ObjectStore store, String name) {
    this.store = store;
    this.name = name;
  }

  /** Arguments: directory, name, and {@code race <rounds>} or {@code large <bytes>}. */
  public static void main(String[] args) {
    try (var store = new FileObjectStore(Path.of(args[0]), Runnable::run, InstantSource.system())) {
      FileStoreWriter writer = new FileStoreWriter(store, args[1]);
      int number = Integer.parseInt(args[3]);
      if (args[2].equals("race")) {
        writer.race(number);
      } else {
        writer.writeLargeObjectsForEver(number);
      }
    }
  }

  /** Creates each key unless it is there, and counts its turns in an object that all replace. */
  private void race(int rounds) {
    for (int round = 0; round < rounds; round++) {
      ObjectKey key = ObjectKey.of("once/" + round);
      if (won(() -> store.putIfAbsent(key, text(name)).join())) {
        System.out.println("won " + round);
      }
      while (!won(this::increment)) {
        Thread.onSpinWait();
      }
    }
  }

  private static boolean won(Supplier<ObjectInfo> write) {
    try {
      return write.get() != null;
    } catch (CompletionException e) {
      if (StoreException.of(e) instanceof StoreException.PreconditionFailed) {
        return false;
      }
      throw e;
    }
  }

  private ObjectInfo increment() {
    ObjectInfo there = store.head(COUNTER).join().orElseThrow();
    String count = StandardCharsets.UTF_8.decode(store.get(COUNTER, 64).join()).toString();
    return store
        .replace(COUNTER, text(Long.toString(Long.parseLong(count) + 1)), there.etag())
        .join();
  }

  private void writeLargeObjectsForEver(int bytes) {
    byte[] content = new byte[bytes];
    for (int i = 0; ; i++) {
      Arrays.fill(content, (byte) i);
      store.put(ObjectKey.of("large/" + i % 50), Payload.of(ByteBuffer.wrap(content))).join();
      System.out.println("wrote " + i);
    }
  }

  private static Payload text(String text) {
    return Payload.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }
}
