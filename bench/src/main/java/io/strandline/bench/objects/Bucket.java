package io.strandline.bench.objects;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** Objects by name, each a file of its own that is never changed. */
final class Bucket {
  private final Path dir;
  private final NavigableMap<String, Stored> objects = new TreeMap<>();
  private long versions;

  Bucket(Path dir) {
    this.dir = dir;
  }

  /**
   * @param etag as in a header, with its quotes
   */
  record Stored(String name, Path file, long lengthBytes, String etag, Instant modified) {}

  /** What a put demands of the object that is there. */
  record Condition(Optional<String> ifMatch, boolean ifAbsent) {
    boolean holds(Optional<Stored> there) {
      if (ifAbsent) {
        return there.isEmpty();
      }
      return ifMatch.isEmpty()
          || there.filter(o -> bare(o.etag()).equals(bare(ifMatch.get()))).isPresent();
    }

    private static String bare(String etag) {
      return etag.replace("\"", "");
    }
  }

  /**
   * @return none if the condition does not hold
   */
  synchronized Optional<Stored> put(String name, ByteBuffer body, Condition condition)
      throws IOException {
    if (!condition.holds(get(name))) {
      return Optional.empty();
    }
    long version = ++versions;
    Path file = dir.resolve(Long.toString(version));
    int length = body.remaining();
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (ByteBuffer left = body.duplicate(); left.hasRemaining(); ) {
        out.write(left);
      }
    }
    Stored stored = new Stored(name, file, length, "\"" + version + "\"", Instant.now());
    Stored old = objects.put(name, stored);
    if (old != null) {
      Files.delete(old.file());
    }
    return Optional.of(stored);
  }

  synchronized Optional<Stored> get(String name) {
    return Optional.ofNullable(objects.get(name));
  }

  synchronized void delete(String name) throws IOException {
    Stored old = objects.remove(name);
    if (old != null) {
      Files.delete(old.file());
    }
  }

  /** Objects whose name begins with {@code prefix} and lies above {@code after}. */
  synchronized List<Stored> list(String prefix, String after, int limit) {
    return objects.tailMap(prefix, true).values().stream()
        .takeWhile(o -> o.name().startsWith(prefix))
        .filter(o -> o.name().compareTo(after) > 0)
        .limit(limit)
        .toList();
  }
}
