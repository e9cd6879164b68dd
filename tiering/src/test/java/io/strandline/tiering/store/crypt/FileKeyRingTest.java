package io.strandline.tiering.store.crypt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileKeyRingTest {
  private static final byte[] CONTEXT = {1, 2, 3};

  @TempDir Path directory;

  private Path file(String text) throws IOException {
    Path file = Files.writeString(directory.resolve("ring"), text);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  private void refused(Path file, String why) {
    assertThatThrownBy(() -> FileKeyRing.open(file, new SecureRandom()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(why);
  }

  @Test
  void whatIsWrappedUnwrapsAndNoTwoKeysAreEqual() {
    FileKeyRing ring = new TestRing(directory.resolve("ring")).rotate("k1").open();
    DataKey first = ring.create(CONTEXT).join();
    DataKey second = ring.create(CONTEXT).join();
    assertThat(ring.unwrap(first.wrapped(), CONTEXT).join()).isEqualTo(first.bytes());
    assertThat(first.bytes()).hasSize(32).isNotEqualTo(second.bytes());
    assertThat(ring.unwrap(first.wrapped(), new byte[] {9})).isCompletedExceptionally();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw----r--", "rw-----w-", "rw--w----", "rw-r--r--"})
  void aFileThatOthersMayTouchIsRefused(String permissions) throws IOException {
    Path file = new TestRing(directory.resolve("ring")).rotate("k1").file();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    refused(file, "chmod 600");
  }

  @Test
  void itsGroupMayReadIt() throws IOException {
    TestRing ring = new TestRing(directory.resolve("ring")).rotate("k1");
    Files.setPosixFilePermissions(ring.file(), PosixFilePermissions.fromString("r--r-----"));
    assertThat(ring.open().activeKey()).isEqualTo("k1");
  }

  @Test
  void whatIsWrongIsToldWithoutTheKey() throws IOException {
    String secret = "c2VjcmV0IHRoYXQgaXMgc2hvcnQ=";
    Path file = file("active=a\nkey.a=" + secret);
    refused(file, "key.a has 20 bytes, not 32");
    assertThatThrownBy(() -> FileKeyRing.open(file, new SecureRandom()))
        .message()
        .doesNotContain(secret);
    refused(file("active=a\nkey.a=no base64"), "key.a is not base64");
    refused(file("key.a=" + "A".repeat(43) + "="), "active must name");
    refused(file("active=b\nkey.a=" + "A".repeat(43) + "="), "active must name");
    refused(file("actvie=a"), "nothing else");
    refused(file("active=é\nkey.é=" + "A".repeat(43) + "="), "a key's id");
    refused(directory.resolve("none"), "can not be read");
  }

  @Test
  void aFileThatChangedIsReadAgainAndOneThatBrokeIsNot() throws IOException {
    TestRing written = new TestRing(directory.resolve("ring")).rotate("k1");
    FileKeyRing ring = written.open();
    DataKey old = ring.create(CONTEXT).join();
    written.rotate("k2");
    assertThat(ring.create(CONTEXT).join().wrapped().keyId()).isEqualTo("k2");
    Files.writeString(written.file(), "active=k3");
    assertThat(ring.create(CONTEXT).join().wrapped().keyId()).isEqualTo("k2");
    assertThat(ring.unwrap(old.wrapped(), CONTEXT).join()).isEqualTo(old.bytes());
    written.rotate("k4");
    assertThat(ring.create(CONTEXT).join().wrapped().keyId()).isEqualTo("k4");
  }

  /** Its content and time are as they were when it was refused. */
  @Test
  void aFileThatOthersMightReadIsReadOnceTheyMayNot() throws IOException {
    TestRing written = new TestRing(directory.resolve("ring")).rotate("k1");
    FileKeyRing ring = written.open();
    written.rotate("k2");
    Files.setPosixFilePermissions(written.file(), PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(ring.activeKey()).isEqualTo("k1");
    Files.setPosixFilePermissions(written.file(), PosixFilePermissions.fromString("rw-------"));
    assertThat(ring.activeKey()).isEqualTo("k2");
  }

  @Test
  void aKeyThatWasAddedIsFoundWhenAskedFor() {
    TestRing written = new TestRing(directory.resolve("ring")).rotate("k1");
    FileKeyRing early = written.open();
    written.rotate("k2");
    FileKeyRing later = written.open();
    DataKey key = later.create(CONTEXT).join();
    assertThat(early.unwrap(key.wrapped(), CONTEXT).join()).isEqualTo(key.bytes());
  }
}
