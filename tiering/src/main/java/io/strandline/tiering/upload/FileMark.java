package io.strandline.tiering.upload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/** By what a file is known to be the same, unchanged. */
record FileMark(@Nullable Object fileKey, long sizeBytes, FileTime modified) {
  static FileMark of(Path file) throws IOException {
    BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
    return new FileMark(a.fileKey(), a.size(), a.lastModifiedTime());
  }
}
