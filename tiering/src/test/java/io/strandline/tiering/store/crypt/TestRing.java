package io.strandline.tiering.store.crypt;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/** A key ring's file that is written over and over. */
public final class TestRing {
  private final Path file;
  private final Map<String, String> keys = new TreeMap<>();
  private final SecureRandom random = new SecureRandom();

  public TestRing(Path file) {
    this.file = file;
  }

  /** Adds a key and makes it the active one. */
  public TestRing rotate(String id) {
    byte[] key = new byte[32];
    random.nextBytes(key);
    keys.put(id, Base64.getEncoder().encodeToString(key));
    return write(id);
  }

  /** Takes a key away. */
  public TestRing retire(String id, String active) {
    keys.remove(id);
    return write(active);
  }

  public String secret(String id) {
    return keys.getOrDefault(id, "");
  }

  public Path file() {
    return file;
  }

  public FileKeyRing open() {
    return FileKeyRing.open(file, random);
  }

  private TestRing write(String active) {
    StringBuilder text = new StringBuilder("active=" + active + "\n");
    keys.forEach((id, key) -> text.append("key.").append(id).append('=').append(key).append('\n'));
    try {
      // Moved into its place, as those who write secrets do: so it is another file.
      Path fresh = file.resolveSibling(file.getFileName() + ".new");
      Files.deleteIfExists(fresh);
      Files.createFile(
          fresh,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(fresh, text);
      Files.move(
          fresh,
          file,
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }
}
