package io.strandline.tiering.store.file;

import io.strandline.tiering.store.StoreException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.ReadOnlyFileSystemException;
import org.jspecify.annotations.Nullable;

/** What the file system's errors mean to a user of the store. */
final class FileErrors {
  private FileErrors() {}

  /** A full disk and all that may pass is {@link StoreException.Unavailable}. */
  static StoreException explain(String what, Exception thrown) {
    String message = what + ": " + thrown;
    if (thrown instanceof NoSuchFileException) {
      return new StoreException.NotFound(message);
    }
    return refuses(thrown)
        ? new StoreException.Refused(message, thrown)
        : new StoreException.Unavailable(message, thrown);
  }

  private static boolean refuses(Exception thrown) {
    if (thrown instanceof FileSystemException e) {
      return e instanceof AccessDeniedException
          || e instanceof NotDirectoryException
          || says(e.getReason(), "Not a directory")
          || says(e.getReason(), "Read-only file system")
          || says(e.getReason(), "File name too long");
    }
    return thrown instanceof ReadOnlyFileSystemException;
  }

  /** Whether making a hard link failed because the file system has none (FAT, some networks'). */
  static boolean lacksLinks(FileSystemException thrown) {
    return says(thrown.getReason(), "Operation not permitted")
        || says(thrown.getReason(), "not supported");
  }

  private static boolean says(@Nullable String reason, String words) {
    return reason != null && reason.contains(words);
  }
}
