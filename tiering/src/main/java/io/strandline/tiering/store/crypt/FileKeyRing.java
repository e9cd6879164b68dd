package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.StoreException;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys in a file: {@code key.<id>=<base64 of 32 bytes>} for each, and {@code active=<id>} for the
 * one that wraps. Nobody but its owner may write it, and no others but its group may read it.
 *
 * <p>The file is looked at when something is to be wrapped, and when a key is asked for that is not
 * there; what changed is read then. A file that cannot be used any more changes nothing: the keys
 * read before go on, a line in the log says so, and it is looked at again.
 *
 * <p>Wrapping is AES-256-GCM: 12 bytes of nonce by chance, the key, 16 of tag; the key's id and the
 * context are authenticated.
 */
public final class FileKeyRing implements KeyRing {
  private static final Logger LOG = LoggerFactory.getLogger(FileKeyRing.class);
  private static final int NONCE_BYTES = 12;
  private static final String KEY = "key.";
  private static final String ACTIVE = "active";
  private static final Set<PosixFilePermission> FORBIDDEN =
      Set.of(
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE);

  /** What was in the file. */
  private record Keys(String active, Map<String, SecretKeySpec> byId) {
    @Override
    public String toString() {
      return byId.keySet() + ", active " + active;
    }
  }

  /** By what a file is known to be the one that was read. */
  private record Mark(@Nullable Object fileKey, long bytes, FileTime modified) {
    static Mark of(Path file) throws IOException {
      BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
      return new Mark(a.fileKey(), a.size(), a.lastModifiedTime());
    }
  }

  private final Path file;
  private final SecureRandom random;
  private @Nullable Mark mark;
  private Keys keys;
  private String trouble = "";

  private FileKeyRing(Path file, SecureRandom random) throws IOException {
    this.file = file;
    this.random = random;
    this.mark = Mark.of(file);
    this.keys = read(file);
  }

  /**
   * Reads a ring.
   *
   * @throws IllegalArgumentException that says what is wrong with the file, and no more of it
   */
  public static FileKeyRing open(Path file, SecureRandom random) {
    try {
      return new FileKeyRing(file, random);
    } catch (IOException e) {
      throw new IllegalArgumentException("the key ring " + file + " can not be read: " + e, e);
    }
  }

  /** The id of the key that wraps now. */
  public String activeKey() {
    return current(true).active();
  }

  @Override
  public CompletableFuture<DataKey> create(byte[] context) {
    Keys now = current(true);
    SecretKeySpec by = now.byId().get(now.active());
    if (by == null) {
      throw new IllegalStateException("a ring without its active key");
    }
    byte[] nonce = new byte[NONCE_BYTES];
    byte[] key = new byte[ObjectCipher.KEY_BYTES];
    random.nextBytes(nonce);
    random.nextBytes(key);
    try {
      byte[] closed = cipher(Cipher.ENCRYPT_MODE, by, nonce, now.active(), context).doFinal(key);
      ByteBuffer bytes = ByteBuffer.allocate(NONCE_BYTES + closed.length).put(nonce).put(closed);
      return CompletableFuture.completedFuture(
          new DataKey(key, new WrappedKey(now.active(), bytes.flip())));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a key cannot be wrapped", e);
    }
  }

  @Override
  public CompletableFuture<byte[]> unwrap(WrappedKey wrapped, byte[] context) {
    String id = wrapped.keyId();
    SecretKeySpec by = current(false).byId().get(id);
    if (by == null) {
      by = current(true).byId().get(id);
    }
    if (by == null) {
      return CompletableFuture.failedFuture(
          StoreException.Undeciphered.lacks(id, "the key ring " + file + " has no such key"));
    }
    ByteBuffer in = wrapped.bytes().duplicate();
    byte[] nonce = new byte[NONCE_BYTES];
    byte[] closed = new byte[Math.max(0, in.remaining() - NONCE_BYTES)];
    try {
      if (in.remaining() < NONCE_BYTES) {
        throw new GeneralSecurityException("too short");
      }
      in.get(nonce).get(closed);
      return CompletableFuture.completedFuture(
          cipher(Cipher.DECRYPT_MODE, by, nonce, id, context).doFinal(closed));
    } catch (GeneralSecurityException e) {
      return CompletableFuture.failedFuture(
          StoreException.Undeciphered.forged(
              "its key was not wrapped by the key " + id + " of the ring, or under another name"));
    }
  }

  private static Cipher cipher(int mode, SecretKeySpec key, byte[] nonce, String id, byte[] context)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(128, nonce));
    cipher.updateAAD((id + "\n").getBytes(StandardCharsets.US_ASCII));
    cipher.updateAAD(context);
    return cipher;
  }

  private synchronized Keys current(boolean look) {
    if (look) {
      try {
        Mark there = Mark.of(file);
        if (!there.equals(mark)) {
          keys = read(file);
          mark = there; // only now: what could not be read is looked at again
          trouble = "";
          LOG.atInfo().addKeyValue("path", file).log("the key ring was read again");
        }
      } catch (IOException | IllegalArgumentException e) {
        tellOnce(String.valueOf(e.getMessage()));
      }
    }
    return keys;
  }

  private void tellOnce(String why) {
    if (!why.equals(trouble)) {
      trouble = why;
      LOG.atWarn()
          .addKeyValue("path", file)
          .addKeyValue("reason", why)
          .log("the key ring can not be read again; the keys read before go on");
    }
  }

  private static Keys read(Path file) throws IOException {
    checkPermissions(file);
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    } catch (IllegalArgumentException e) {
      throw wrong(file, "it is no properties file");
    }
    Map<String, SecretKeySpec> byId = new LinkedHashMap<>();
    for (String name : properties.stringPropertyNames()) {
      if (name.startsWith(KEY)) {
        String id = name.substring(KEY.length());
        byId.put(id, key(file, id, properties.getProperty(name).trim()));
      } else if (!name.equals(ACTIVE)) {
        throw wrong(file, "it may hold active=<id> and key.<id>=<key>, and nothing else");
      }
    }
    String active = properties.getProperty(ACTIVE, "").trim();
    if (!byId.containsKey(active)) {
      throw wrong(file, "active must name one of its keys");
    }
    return new Keys(active, Map.copyOf(byId));
  }

  /** The value is a secret: it is in no message. */
  private static SecretKeySpec key(Path file, String id, String base64) {
    if (!WrappedKey.isId(id)) {
      throw wrong(file, "a key's id has 1 to 64 letters, digits and . _ : / -");
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw wrong(file, "key." + id + " is not base64");
    }
    if (bytes.length != ObjectCipher.KEY_BYTES) {
      throw wrong(file, "key." + id + " has " + bytes.length + " bytes, not 32");
    }
    return new SecretKeySpec(bytes, "AES");
  }

  private static void checkPermissions(Path file) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (view != null
        && view.readAttributes().permissions().stream().anyMatch(FORBIDDEN::contains)) {
      throw wrong(file, "others may read or write it: chmod 600");
    }
  }

  private static IllegalArgumentException wrong(Path file, String why) {
    return new IllegalArgumentException("the key ring " + file + ": " + why);
  }

  @Override
  public String toString() {
    return "FileKeyRing[" + file + "]";
  }
}
