package io.strandline.tiering.store.crypt;

import static io.strandline.tiering.store.crypt.CipherLayout.FRAME_BYTES;
import static io.strandline.tiering.store.crypt.CipherLayout.HEADER_BYTES;
import static io.strandline.tiering.store.crypt.CipherLayout.STORED_FRAME_BYTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.ScriptedStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncryptedObjectStoreTest {
  private static final ObjectKey KEY = ObjectKey.of("a/segment.seg.enc");
  private static final ObjectKey OTHER = ObjectKey.of("a/other.seg.enc");
  private static final int FRAME = FRAME_BYTES;

  @TempDir Path directory;

  private final Random random = new Random(20261121);
  private final Recording bucket =
      new Recording(new MemoryObjectStore(Runnable::run, InstantSource.fixed(Instant.EPOCH)));
  private final List<ReadRange> gets = bucket.gets;

  @SuppressWarnings("NullAway.Init")
  private TestRing ring;

  @SuppressWarnings("NullAway.Init")
  private EncryptedObjectStore store;

  @BeforeEach
  void open() {
    ring = new TestRing(directory.resolve("ring")).rotate("k1");
    store = another();
  }

  /** Knows nothing of what was read before. */
  private EncryptedObjectStore another() {
    return new EncryptedObjectStore(bucket, ring.open(), Runnable::run);
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private ObjectInfo put(ObjectKey key, byte[] bytes) {
    return store.put(key, Payload.of(ByteBuffer.wrap(bytes))).join();
  }

  private byte[] stored(ObjectKey key) {
    return bucket.get(key, 64 << 20).join().array();
  }

  private void store(ObjectKey key, byte[] bytes) {
    bucket.put(key, Payload.of(ByteBuffer.wrap(bytes))).join();
  }

  private static byte[] read(EncryptedObjectStore from, long position, int length) {
    return from.get(KEY, position, length).join().array();
  }

  private static void check(byte[] plain, EncryptedObjectStore from, int position, int length) {
    ByteBuffer expected = ByteBuffer.wrap(plain, position, length);
    assertThat(from.get(KEY, position, length).join()).isEqualTo(expected);
  }

  private static StoreException failure(CompletableFuture<?> future) {
    try {
      future.join();
    } catch (CompletionException e) {
      return StoreException.of(e);
    }
    throw new AssertionError("it did not fail");
  }

  private static StoreException.Undeciphered undeciphered(CompletableFuture<?> future) {
    StoreException failure = failure(future);
    assertThat(failure).isInstanceOf(StoreException.Undeciphered.class);
    return (StoreException.Undeciphered) failure;
  }

  @ParameterizedTest
  @ValueSource(
      ints = {1, 19, 20, 21, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME - 7, 5 * FRAME + 9})
  void rangesAtEveryBorderComeBack(int length) {
    byte[] plain = bytes(length);
    assertThat(put(KEY, plain).lengthBytes()).isEqualTo(length);
    assertThat(stored(KEY).length).isEqualTo((int) CipherLayout.storedBytes(length));
    int[] borders = {0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME - 1, length - 1};
    for (int from : borders) {
      for (int to : borders) {
        if (from >= 0 && from <= to && to < length) {
          check(plain, store, from, to - from + 1);
          check(plain, another(), from, to - from + 1);
        }
      }
    }
    assertThat(another().get(KEY, length).join()).isEqualTo(ByteBuffer.wrap(plain));
    assertThat(failure(store.get(KEY, length, 1))).isInstanceOf(StoreException.OutOfRange.class);
    assertThat(failure(another().get(KEY, 0, length + FRAME)))
        .isInstanceOf(StoreException.OutOfRange.class);
    assertThat(failure(store.get(KEY, length - 1)))
        .isInstanceOfAny(StoreException.OutOfRange.class);
    assertThat(store.head(KEY).join().orElseThrow().lengthBytes()).isEqualTo(length);
    assertThat(store.list("a/", "", 9).join().objects().get(0).lengthBytes()).isEqualTo(length);
  }

  @Test
  void anyRangeComesBack() {
    byte[] plain = bytes(6 * FRAME + 1234);
    put(KEY, plain);
    for (int i = 0; i < 300; i++) {
      int from = random.nextInt(plain.length);
      int length = 1 + random.nextInt(plain.length - from);
      check(plain, i % 3 == 0 ? another() : store, from, length);
    }
  }

  @Test
  void nothingOfThePlainBytesOrTheKeysIsStored() {
    byte[] plain =
        "a secret that is easily found "
            .repeat(10_000)
            .getBytes(java.nio.charset.StandardCharsets.UTF_8);
    put(KEY, plain);
    String stored = new String(stored(KEY), java.nio.charset.StandardCharsets.ISO_8859_1);
    assertThat(stored).doesNotContain("secret").contains("k1");
    put(OTHER, plain);
    assertThat(stored(OTHER)).isNotEqualTo(stored(KEY));
    assertThat(ring.open().toString() + store + store.keysSeen()).doesNotContain(ring.secret("k1"));
  }

  @Test
  void otherNamesAreLeftAsTheyAre() {
    ObjectKey plain = ObjectKey.of("a/segment.seg");
    put(plain, new byte[] {1, 2, 3});
    assertThat(stored(plain)).containsExactly(1, 2, 3);
    assertThat(store.get(plain, 1, 2).join()).isEqualTo(ByteBuffer.wrap(new byte[] {2, 3}));
  }

  @Test
  void aChangeOfAnyByteIsNoticed() {
    byte[] plain = bytes(700);
    put(KEY, plain);
    byte[] sound = stored(KEY);
    for (int at = 0; at < sound.length; at++) {
      byte[] changed = sound.clone();
      changed[at] ^= (byte) (1 << random.nextInt(8));
      store(KEY, changed);
      assertThat(undeciphered(another().get(KEY, 0, 700)).getMessage()).contains(KEY.value());
      undeciphered(another().get(KEY, 1000));
    }
    store(KEY, sound);
    check(plain, another(), 0, 700);
  }

  @Test
  void theSumsHoldForAForgerToo() {
    // CRCs are no secret: a changed frame whose sum was made right again is still found.
    put(KEY, bytes(700));
    byte[] changed = stored(KEY);
    changed[HEADER_BYTES + 5] ^= 1;
    var crc = new java.util.zip.CRC32C();
    crc.update(changed, HEADER_BYTES, 716);
    ByteBuffer.wrap(changed).putInt(HEADER_BYTES + 716, (int) crc.getValue());
    store(KEY, changed);
    assertThat(undeciphered(another().get(KEY, 0, 700)).getMessage())
        .contains("not what was encrypted");
  }

  @Test
  void framesCannotBeMovedNorObjectsExchangedNorCut() {
    byte[] plain = bytes(3 * FRAME);
    put(KEY, plain);
    byte[] sound = stored(KEY);
    byte[] moved = sound.clone();
    System.arraycopy(
        sound, HEADER_BYTES, moved, HEADER_BYTES + STORED_FRAME_BYTES, STORED_FRAME_BYTES);
    store(KEY, moved);
    undeciphered(another().get(KEY, FRAME, FRAME));

    store(OTHER, sound);
    undeciphered(another().get(OTHER, 0, FRAME));

    store(KEY, java.util.Arrays.copyOf(sound, sound.length - STORED_FRAME_BYTES));
    assertThat(failure(another().get(KEY, 2 * FRAME, FRAME)))
        .isInstanceOf(StoreException.OutOfRange.class);
    undeciphered(another().get(KEY, 4 * FRAME));
    store(KEY, new byte[0]);
    assertThat(failure(another().get(KEY, 0, 10))).isInstanceOf(StoreException.OutOfRange.class);
  }

  @Test
  void aRotatedRingReadsTheOldAndWritesTheNew() {
    byte[] old = bytes(100);
    byte[] fresh = bytes(200);
    put(KEY, old);
    ring.rotate("k2");
    put(OTHER, fresh);
    EncryptedObjectStore later = another();
    assertThat(later.get(KEY, 0, 100).join().array()).isEqualTo(old);
    assertThat(later.get(OTHER, 0, 200).join().array()).isEqualTo(fresh);
    assertThat(later.keysSeen()).containsOnlyKeys("k1", "k2");
  }

  @Test
  void aMissingKeyIsNamedAndOtherObjectsStayReadable() {
    put(KEY, bytes(100));
    ring.rotate("k2").retire("k1", "k2");
    byte[] fresh = bytes(200);
    EncryptedObjectStore later = another();
    later.put(OTHER, Payload.of(ByteBuffer.wrap(fresh))).join();
    StoreException.Undeciphered lacking = undeciphered(later.get(KEY, 0, 100));
    assertThat(lacking.lackingKey()).contains("k1");
    assertThat(lacking.getMessage()).contains("k1").contains(KEY.value());
    assertThat(later.get(OTHER, 0, 200).join().array()).isEqualTo(fresh);
  }

  @Test
  void aKeyThatComesBackReadsAgain() {
    byte[] plain = bytes(2 * FRAME);
    put(KEY, plain);
    TestRing elsewhere = new TestRing(directory.resolve("elsewhere")).rotate("k9");
    EncryptedObjectStore lacks = new EncryptedObjectStore(bucket, elsewhere.open(), Runnable::run);
    undeciphered(lacks.get(KEY, 0, FRAME));
    gets.clear();
    undeciphered(lacks.get(KEY, 0, FRAME));
    assertThat(gets).as("a lacking key is not tried twice").hasSize(1);
    check(plain, another(), 0, FRAME);
  }

  @Test
  void anotherKeyOfTheSameNameDoesNotFit() {
    put(KEY, bytes(100));
    TestRing impostor = new TestRing(directory.resolve("impostor")).rotate("k1");
    EncryptedObjectStore wrong = new EncryptedObjectStore(bucket, impostor.open(), Runnable::run);
    StoreException.Undeciphered forged = undeciphered(wrong.get(KEY, 0, 100));
    assertThat(forged.lackingKey()).isEmpty();
    assertThat(forged.getMessage()).contains("k1");
  }

  @Test
  void withoutARingNothingIsWrittenInClear() {
    EncryptedObjectStore none = new EncryptedObjectStore(bucket, KeyRing.none(), Runnable::run);
    Payload payload = Payload.of(ByteBuffer.wrap(new byte[9]));
    assertThat(failure(none.put(KEY, payload))).isInstanceOf(StoreException.Refused.class);
    assertThat(bucket.head(KEY).join()).isEmpty();
    put(KEY, bytes(10));
    assertThat(undeciphered(none.get(KEY, 0, 10)).lackingKey()).contains("k1");
  }

  @Test
  void damageIsFoundWithoutTheKey() {
    byte[] plain = bytes(70 * FRAME + 5);
    put(KEY, plain);
    byte[] sound = stored(KEY);
    EncryptedObjectStore none = new EncryptedObjectStore(bucket, KeyRing.none(), Runnable::run);
    KeylessCheck check =
        none.keyless(
            new KeylessCheck.Pace(
                bytes -> CompletableFuture.completedFuture(null), bytes -> {}, Runnable::run));
    assertThat(check.damage(KEY).join()).isEmpty();
    for (int at : new int[] {0, 100, 511, 512, sound.length / 2, sound.length - 1}) {
      byte[] changed = sound.clone();
      changed[at] ^= 4;
      store(KEY, changed);
      assertThat(check.damage(KEY).join()).as("byte %s", at).isPresent();
    }
    store(KEY, java.util.Arrays.copyOf(sound, sound.length - 1));
    assertThat(check.damage(KEY).join().orElseThrow()).contains("bytes are stored");
  }

  @Test
  void anObjectWrittenAgainIsReadUnderItsNewKey() {
    put(KEY, bytes(3 * FRAME));
    EncryptedObjectStore reader = another();
    assertThat(read(reader, FRAME, FRAME)).hasSize(FRAME);
    byte[] again = bytes(3 * FRAME);
    put(KEY, again);
    check(again, reader, FRAME, FRAME);
    check(again, reader, 0, 3 * FRAME);
  }

  @Test
  void readingInSequenceCostsNoRequestMore() {
    byte[] plain = bytes(8 * FRAME + 100);
    put(KEY, plain);
    EncryptedObjectStore reader = another();
    gets.clear();
    check(plain, reader, 0, 4 * FRAME);
    check(plain, reader, 4 * FRAME, 4 * FRAME + 100);
    assertThat(gets).hasSize(2);
    check(plain, another(), 5 * FRAME + 3, 10);
    assertThat(gets).hasSize(4);
    assertThat(gets.get(2)).isEqualTo(new ReadRange(KEY, 0, HEADER_BYTES));
    assertThat(gets.get(3).lengthBytes()).isEqualTo(STORED_FRAME_BYTES);
  }

  @Test
  void piecesOfAnySizeAndTriesThatWereGivenUpLandRight() {
    byte[] plain = bytes(3 * FRAME + 5);
    put(KEY, plain);
    byte[] sound = stored(KEY);
    for (int round = 0; round < 40; round++) {
      EncryptedObjectStore stuttering =
          new EncryptedObjectStore(
              new Stuttering(bucket, random, sound), ring.open(), Runnable::run);
      ByteBuffer out = ByteBuffer.allocate(2 * FRAME);
      Landing landing =
          new Landing(
              2 * FRAME,
              (from, piece) -> {
                out.put(from, piece, piece.position(), piece.remaining());
                piece.position(piece.limit());
              });
      int position = round % 2 == 0 ? 0 : random.nextInt(FRAME);
      stuttering.get(new ReadRange(KEY, position, 2 * FRAME), landing).join();
      assertThat(landing.whole()).isTrue();
      assertThat(out).isEqualTo(ByteBuffer.wrap(plain, position, 2 * FRAME));
    }
  }

  @Test
  void aStoreMayReadThePayloadAgainAndInParts() throws IOException {
    byte[] plain = bytes(5 * FRAME + 77);
    Path file = Files.write(directory.resolve("log"), plain);
    Payload payload =
        new Payload(
            List.of(
                new Payload.FileRange(file, 0, 3 * FRAME + 10),
                new Payload.Bytes(ByteBuffer.wrap(plain, 3 * FRAME + 10, 2 * FRAME + 67))));
    Payload enciphered = enciphered(payload);
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    enciphered.transferTo(Channels.newChannel(whole));
    ByteArrayOutputStream parts = new ByteArrayOutputStream();
    for (long at = 0; at < enciphered.lengthBytes(); at += 100_001) {
      enciphered
          .slice(at, Math.min(100_001, enciphered.lengthBytes() - at))
          .transferTo(Channels.newChannel(parts));
    }
    assertThat(parts.toByteArray()).isEqualTo(whole.toByteArray());
    store(KEY, whole.toByteArray());
    check(plain, another(), 0, plain.length);
  }

  @Test
  void aFileThatChangedBetweenTwoTriesIsNotEncryptedUnderTheSameNonces() throws IOException {
    Path file = Files.write(directory.resolve("log"), bytes(2 * FRAME));
    Payload enciphered =
        enciphered(new Payload(List.of(new Payload.FileRange(file, 0, 2 * FRAME))));
    enciphered.transferTo(Channels.newChannel(new ByteArrayOutputStream()));
    Files.write(file, bytes(2 * FRAME));
    assertThatThrownBy(
            () -> enciphered.transferTo(Channels.newChannel(new ByteArrayOutputStream())))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("changed between two tries");
  }

  /** What the store within is given for a payload. */
  private Payload enciphered(Payload payload) {
    Recording given = new Recording(new ScriptedStore().holding());
    CompletableFuture<ObjectInfo> unused =
        new EncryptedObjectStore(given, ring.open(), Runnable::run).put(KEY, payload);
    return given.puts.get(0);
  }
}
