package io.strandline.tiering.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.restore.MetadataBackups.Backup;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.crypt.TestRing;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataBackupsTest {
  private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_800_000));

  @TempDir Path dir;

  private final ObjectStore bucket = new MemoryObjectStore(Runnable::run, CLOCK);

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void withKeysABackupIsNotInClearAndOlderOnesStayReadable() {
    TestRing ring = new TestRing(dir.resolve("keys")).rotate("one");
    ObjectStore store = new EncryptedObjectStore(bucket, ring.open(), Runnable::run);
    new MetadataBackups(store).put(0, 5, 1, bytes("in clear")).join();
    MetadataBackups backups = new MetadataBackups(store, true);
    backups.put(0, 9, 1, bytes("salted password")).join();

    List<Backup> found = backups.newest().join();
    assertThat(found).extracting(Backup::endOffset).containsExactly(9L, 5L);
    assertThat(found).allMatch(backup -> MetadataBackups.owns(backup.key()));
    assertThat(backups.read(found.get(0)).join()).isEqualTo(bytes("salted password"));
    assertThat(backups.read(found.get(1)).join()).isEqualTo(bytes("in clear"));
    ByteBuffer stored = bucket.get(found.get(0).key(), 1 << 20).join();
    assertThat(StandardCharsets.ISO_8859_1.decode(stored).toString()).doesNotContain("password");

    MetadataBackups without =
        new MetadataBackups(new EncryptedObjectStore(bucket, KeyRing.none(), Runnable::run));
    assertThatThrownBy(() -> without.read(found.get(0)).join())
        .hasCauseInstanceOf(StoreException.Undeciphered.class)
        .hasMessageContaining("one");
    assertThat(backups.prune(1).join()).isEqualTo(1);
    assertThat(backups.newest().join()).extracting(Backup::endOffset).containsExactly(9L);
  }
}
