package io.strandline.tiering.store.file;

import io.strandline.tiering.store.ObjectKey;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where things lie below the root.
 *
 * <ul>
 *   <li>{@code a/b/c} is the file {@code a+/b+/c}: the mark on directories lets {@code a} and
 *       {@code a/b} both be objects, and an emptied directory never stands in the way of an object.
 *   <li>{@code ~tmp} holds what is being written, {@code ~locks} what decides between writers; no
 *       key has a {@code ~} or a {@code +}, so neither can be mistaken for an object.
 * </ul>
 */
record Layout(Path root) {
  private static final String DIRECTORY_MARK = "+";

  Path file(ObjectKey key) {
    return root.resolve(key.value().replace("/", DIRECTORY_MARK + "/"));
  }

  /**
   * The directory of all keys that begin with {@code prefix}, which ends in a slash or is empty.
   */
  Path directory(String prefix) {
    return prefix.isEmpty() ? root : root.resolve(prefix.replace("/", DIRECTORY_MARK + "/"));
  }

  /** The directory that holds {@link #file}. */
  Path parent(ObjectKey key) {
    return directory(key.value().substring(0, key.value().lastIndexOf('/') + 1));
  }

  Path scratch() {
    return root.resolve("~tmp");
  }

  Path locks() {
    return root.resolve("~locks");
  }

  /**
   * What an entry of a directory adds to the keys below it: a name for an object, a name and a
   * slash for a directory, nothing for what is not ours.
   */
  static @Nullable String keyPart(String entryName) {
    boolean directory = entryName.endsWith(DIRECTORY_MARK);
    String name = directory ? entryName.substring(0, entryName.length() - 1) : entryName;
    if (!ObjectKey.isPart(name)) {
      return null;
    }
    return directory ? name + "/" : name;
  }
}
