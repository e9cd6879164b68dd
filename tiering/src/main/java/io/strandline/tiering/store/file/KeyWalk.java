package io.strandline.tiering.store.file;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore.Page;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of keys in byte order. Reads only directories that may hold keys of the page: sorting a
 * directory's entries as what they add to a key, with the slash, gives the order of the keys.
 */
final class KeyWalk {
  private final Layout layout;
  private final String prefix;
  private final String after;
  private final int limit;
  private final List<ObjectInfo> found = new ArrayList<>();

  KeyWalk(Layout layout, String prefix, String after, int limit) {
    this.layout = layout;
    this.prefix = prefix;
    this.after = after;
    this.limit = limit;
  }

  Page page() throws IOException {
    String base = prefix.substring(0, prefix.lastIndexOf('/') + 1);
    boolean possible = base.isEmpty() || ObjectKey.isKey(base.substring(0, base.length() - 1));
    boolean more = possible && !walk(base);
    return new Page(found, more);
  }

  /** Returns false once the page is full and a further key was seen. */
  private boolean walk(String base) throws IOException {
    for (String part : parts(layout.directory(base))) {
      String key = base + part;
      boolean goOn = key.endsWith("/") ? !reaches(key) || walk(key) : !wanted(key) || add(key);
      if (!goOn) {
        return false;
      }
    }
    return true;
  }

  private boolean reaches(String directory) {
    return (directory.startsWith(prefix) || prefix.startsWith(directory))
        && (after.startsWith(directory) || directory.compareTo(after) > 0);
  }

  private boolean wanted(String key) {
    return key.startsWith(prefix) && key.compareTo(after) > 0 && ObjectKey.isKey(key);
  }

  private boolean add(String key) throws IOException {
    ObjectInfo info = FileObjectStore.infoOf(layout, ObjectKey.of(key));
    if (info == null) {
      return true;
    }
    if (found.size() == limit) {
      return false;
    }
    found.add(info);
    return true;
  }

  private static List<String> parts(Path directory) throws IOException {
    List<String> parts = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        @Nullable String part = Layout.keyPart(entry.getFileName().toString());
        if (part != null) {
          parts.add(part);
        }
      }
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (NotDirectoryException e) {
      throw new NotDirectoryException(directory + " is no directory");
    }
    parts.sort(null);
    return parts;
  }
}
