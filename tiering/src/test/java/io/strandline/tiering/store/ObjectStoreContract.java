package io.strandline.tiering.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every {@link ObjectStore} promises. A subclass gives a store; keys are made unique by the
 * test's name, so one store may serve all tests.
 */
public abstract class ObjectStoreContract {
  private static final int WRITERS = 8;
  private static final int ROUNDS = 25;

  private final String space = "t" + Long.toString(System.nanoTime(), 36);

  /** The store under test; the subclass opens and closes it. */
  protected abstract ObjectStore store();

  /** Whether conditions are atomic between racing writers; a mock's need not be. */
  protected boolean decidesRaces() {
    return true;
  }

  /** Bytes beyond which {@link ObjectStore#put} goes in parts, 0 if it never does. */
  protected int multipartBytes() {
    return 0;
  }

  protected final ObjectKey key(String name) {
    return ObjectKey.of(space + "/" + name);
  }

  protected static Payload text(String text) {
    return Payload.of(ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }

  protected static String text(ByteBuffer bytes) {
    assertThat(bytes.position()).isZero();
    return java.nio.charset.StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  protected final String read(ObjectKey key) {
    return text(store().get(key, 1 << 20).join());
  }

  protected static void assertFails(Class<? extends StoreException> kind, ThrowingCallable call) {
    assertThat(org.assertj.core.api.Assertions.catchThrowable(call))
        .isInstanceOf(CompletionException.class)
        .extracting(StoreException::of)
        .isInstanceOf(kind);
  }

  @Test
  void whatIsPutIsReadBack() {
    ObjectInfo put = store().put(key("a"), text("hello")).join();
    assertThat(put.key()).isEqualTo(key("a"));
    assertThat(put.lengthBytes()).isEqualTo(5);
    assertThat(read(key("a"))).isEqualTo("hello");
    assertThat(store().head(key("a")).join())
        .hasValueSatisfying(
            head -> {
              assertThat(head.key()).isEqualTo(key("a"));
              assertThat(head.lengthBytes()).isEqualTo(5);
              assertThat(head.etag()).isEqualTo(put.etag());
            });
  }

  @Test
  void anEmptyObjectIsAnObject() {
    store().put(key("empty"), text("")).join();
    assertThat(store().get(key("empty"), 10).join().remaining()).isZero();
    assertThat(store().get(key("empty"), 0).join().remaining()).isZero();
    assertFails(StoreException.OutOfRange.class, () -> store().get(key("empty"), 0, 1).join());
  }

  @Test
  void aPutReplacesAndMovesTheEtag() {
    ObjectInfo first = store().put(key("a"), text("one")).join();
    ObjectInfo second = store().put(key("a"), text("two")).join();
    assertThat(second.etag()).isNotEqualTo(first.etag());
    assertThat(read(key("a"))).isEqualTo("two");
  }

  @Test
  void aPayloadOfFilesAndBuffersIsWrittenInOrder(@TempDir Path directory) throws IOException {
    byte[] content = new byte[300_000];
    new Random(7).nextBytes(content);
    Path file = Files.write(directory.resolve("content"), content);
    Payload payload =
        new Payload(
            List.of(
                new Payload.FileRange(file, 100_000, 200_000),
                new Payload.Bytes(ByteBuffer.wrap(content, 50, 10).slice()),
                new Payload.FileRange(file, 0, 3)));
    store().put(key("parts"), payload).join();
    ByteBuffer expected =
        ByteBuffer.allocate(200_013)
            .put(content, 100_000, 200_000)
            .put(content, 50, 10)
            .put(content, 0, 3)
            .flip();
    assertThat(store().get(key("parts"), 1 << 20).join()).isEqualTo(expected);
    assertThat(payload.lengthBytes()).isEqualTo(200_013);
  }

  @Test
  void aPayloadLargeEnoughForPartsIsOneObject(@TempDir Path directory) throws IOException {
    assumeTrue(multipartBytes() > 0);
    byte[] content = new byte[multipartBytes() * 2 + 12_345];
    new Random(11).nextBytes(content);
    Path file = Files.write(directory.resolve("large"), content);
    Payload payload =
        new Payload(
            List.of(
                new Payload.Bytes(ByteBuffer.wrap(content, 0, 1000)),
                new Payload.FileRange(file, 1000, content.length - 1000)));
    assertThat(store().put(key("large"), payload).join().lengthBytes()).isEqualTo(content.length);
    assertThat(store().get(key("large"), content.length).join())
        .isEqualTo(ByteBuffer.wrap(content));
    int end = content.length - 20_000;
    assertThat(store().get(key("large"), end, 20_000).join())
        .isEqualTo(ByteBuffer.wrap(content, end, 20_000));
  }

  @Test
  void aPayloadWhoseFileIsGoneLeavesNoObject(@TempDir Path directory) {
    Payload payload =
        new Payload(List.of(new Payload.FileRange(directory.resolve("absent"), 0, 10)));
    assertFails(StoreException.class, () -> store().put(key("a"), payload).join());
    assertThat(store().head(key("a")).join()).isEmpty();
  }

  @Test
  void aRangeIsReadExactly() {
    store().put(key("a"), text("0123456789")).join();
    assertThat(text(store().get(key("a"), 0, 1).join())).isEqualTo("0");
    assertThat(text(store().get(key("a"), 3, 4).join())).isEqualTo("3456");
    assertThat(text(store().get(key("a"), 0, 10).join())).isEqualTo("0123456789");
  }

  @Test
  void aRangeLandsWhereTheCallerWantsIt() {
    byte[] content = new byte[300_000];
    new Random(7).nextBytes(content);
    store().put(key("a"), Payload.of(ByteBuffer.wrap(content))).join();
    ByteBuffer memory = ByteBuffer.allocateDirect(200_000);
    ReadRange range = new ReadRange(key("a"), 50_000, memory.limit());
    try (Landing landing = landing(memory)) {
      assertThat(store().get(range, landing).join()).isSameAs(landing);
      assertThat(landing.whole()).isTrue();
    }
    assertThat(memory).isEqualTo(ByteBuffer.wrap(content, 50_000, memory.limit()));
  }

  @Test
  void aLandingThatWasClosedStaysUntouched() {
    store().put(key("a"), text("0123456789")).join();
    ByteBuffer memory = ByteBuffer.allocate(4);
    Landing landing = landing(memory);
    landing.close();
    try {
      store().get(new ReadRange(key("a"), 3, 4), landing).join();
    } catch (CompletionException e) {
      assertThat(StoreException.of(e)).isInstanceOf(StoreException.Unavailable.class);
    }
    assertThat(landing.whole()).isFalse();
    assertThat(memory).isEqualTo(ByteBuffer.allocate(4));
  }

  @Test
  void whatIsNotThereDoesNotLand() {
    store().put(key("a"), text("0123456789")).join();
    Landing landing = landing(ByteBuffer.allocate(6));
    assertFails(
        StoreException.OutOfRange.class,
        () -> store().get(new ReadRange(key("a"), 5, 6), landing).join());
    assertFails(
        StoreException.NotFound.class,
        () -> store().get(new ReadRange(key("absent"), 0, 6), landing).join());
  }

  private static Landing landing(ByteBuffer memory) {
    return new Landing(
        memory.limit(), (from, piece) -> memory.duplicate().position(from).put(piece));
  }

  @Test
  void bytesThatAreNotThereAreOutOfRange() {
    store().put(key("a"), text("0123456789")).join();
    assertFails(StoreException.OutOfRange.class, () -> store().get(key("a"), 5, 6).join());
    assertFails(StoreException.OutOfRange.class, () -> store().get(key("a"), 10, 1).join());
    assertFails(StoreException.OutOfRange.class, () -> store().get(key("a"), 99, 1).join());
    assertFails(StoreException.OutOfRange.class, () -> store().get(key("a"), 9).join());
    assertThat(text(store().get(key("a"), 10).join())).isEqualTo("0123456789");
  }

  @Test
  void anAbsentObjectIsNotFound() {
    assertFails(StoreException.NotFound.class, () -> store().get(key("absent"), 0, 1).join());
    assertFails(StoreException.NotFound.class, () -> store().get(key("absent"), 10).join());
    assertThat(store().head(key("absent")).join()).isEmpty();
  }

  @Test
  void nonsenseIsThrownAtOnce() {
    assertThatIllegalArgumentException().isThrownBy(() -> store().get(key("a"), -1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> store().get(key("a"), 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> store().list("", "", 0));
    assertThatIllegalArgumentException().isThrownBy(() -> store().list("", "", 1001));
  }

  @Test
  void putIfAbsentWritesOnce() {
    store().putIfAbsent(key("a"), text("first")).join();
    assertFails(
        StoreException.PreconditionFailed.class,
        () -> store().putIfAbsent(key("a"), text("second")).join());
    assertThat(read(key("a"))).isEqualTo("first");
    store().delete(List.of(key("a"))).join();
    store().putIfAbsent(key("a"), text("third")).join();
    assertThat(read(key("a"))).isEqualTo("third");
  }

  @Test
  void replaceNeedsTheEtagOfWhatIsThere() {
    ObjectInfo one = store().putIfAbsent(key("a"), text("one")).join();
    ObjectInfo two = store().replace(key("a"), text("two"), one.etag()).join();
    assertFails(
        StoreException.PreconditionFailed.class,
        () -> store().replace(key("a"), text("late"), one.etag()).join());
    assertThat(read(key("a"))).isEqualTo("two");
    store().replace(key("a"), text("three"), two.etag()).join();
    assertThat(read(key("a"))).isEqualTo("three");
  }

  @Test
  void replaceTakesTheEtagOfHeadAndOfList() {
    store().put(key("a"), text("one")).join();
    String head = store().head(key("a")).join().orElseThrow().etag();
    store().replace(key("a"), text("two"), head).join();
    String listed = store().list(key("a").value(), "", 1).join().objects().get(0).etag();
    store().replace(key("a"), text("three"), listed).join();
    assertThat(read(key("a"))).isEqualTo("three");
  }

  @Test
  void replaceOfAnAbsentObjectIsRefused() {
    ObjectInfo one = store().put(key("a"), text("one")).join();
    store().delete(List.of(key("a"))).join();
    assertFails(
        StoreException.PreconditionFailed.class,
        () -> store().replace(key("a"), text("two"), one.etag()).join());
    assertThat(store().head(key("a")).join()).isEmpty();
  }

  @Test
  void ofWritersThatRaceToCreateOneWins() throws Exception {
    assumeTrue(decidesRaces());
    for (int round = 0; round < ROUNDS; round++) {
      ObjectKey key = key("race" + round);
      List<String> winners =
          race(writer -> store().putIfAbsent(key, text("by " + writer)), WRITERS);
      assertThat(winners).as("winners of round %d", round).hasSize(1);
      assertThat(read(key)).isEqualTo(winners.get(0));
    }
  }

  @Test
  void ofWritersThatRaceToReplaceOneWins() throws Exception {
    assumeTrue(decidesRaces());
    ObjectKey key = key("race");
    store().put(key, text("start")).join();
    for (int round = 0; round < ROUNDS; round++) {
      String etag = store().head(key).join().orElseThrow().etag();
      String turn = "round " + round + " ";
      List<String> winners =
          race(writer -> store().replace(key, text(turn + "by " + writer), etag), WRITERS);
      assertThat(winners).as("winners of round %d", round).hasSize(1);
      assertThat(read(key)).isEqualTo(turn + winners.get(0));
    }
  }

  private interface Attempt {
    CompletableFuture<ObjectInfo> by(int writer);
  }

  /** What the winners wrote, the turn left out. */
  private static List<String> race(Attempt attempt, int writers) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    try {
      CyclicBarrier start = new CyclicBarrier(writers);
      List<Future<Boolean>> won = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        int writer = i;
        won.add(
            threads.submit(
                () -> {
                  start.await();
                  return attempt.by(writer).handle((info, thrown) -> thrown == null).join();
                }));
      }
      List<String> winners = new ArrayList<>();
      for (int i = 0; i < writers; i++) {
        if (won.get(i).get()) {
          winners.add("by " + i);
        }
      }
      return winners;
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void keysAreListedInTheOrderOfTheirBytes() {
    List<String> names =
        List.of("a", "a-b", "a.b", "a/b", "a/b/c", "a0", "aA", "a_b", "ab", "B", "b/z", "b0");
    names.forEach(name -> store().put(key(name), text(name)).join());
    assertThat(list("", "", 1000)).containsExactly(names.stream().sorted().toArray(String[]::new));
    assertThat(list("a/", "", 1000)).containsExactly("a/b", "a/b/c");
    assertThat(list("a", "a/b", 1000)).containsExactly("a/b/c", "a0", "aA", "a_b", "ab");
    assertThat(list("a/b", "", 1000)).containsExactly("a/b", "a/b/c");
    assertThat(list("nothing", "", 1000)).isEmpty();
    assertThat(list("a", "zzz", 1000)).isEmpty();
  }

  @Test
  void pagesHoldEachKeyOnce() {
    for (int i = 0; i < 23; i++) {
      store().put(key("p/" + (100 + i) + (i % 2 == 0 ? "" : "/x")), text("x")).join();
    }
    List<String> all = new ArrayList<>();
    String after = "";
    ObjectStore.Page page;
    do {
      page = store().list(key("p").value() + "/", after, 5).join();
      assertThat(page.objects().size()).isBetween(1, 5);
      page.objects().forEach(object -> all.add(object.key().value()));
      after = all.get(all.size() - 1);
    } while (page.more());
    assertThat(all).hasSize(23).doesNotHaveDuplicates().isSorted();
  }

  @Test
  void theLastPageSaysSo() {
    store().put(key("a"), text("x")).join();
    store().put(key("b"), text("x")).join();
    assertThat(store().list(space, "", 1).join().more()).isTrue();
    assertThat(store().list(space, "", 3).join().more()).isFalse();
    assertThat(store().list(space, key("b").value(), 3).join().more()).isFalse();
  }

  @Test
  void aListTellsLengthAndEtag() {
    ObjectInfo put = store().put(key("a"), text("four")).join();
    ObjectInfo listed = store().list(space, "", 10).join().objects().get(0);
    assertThat(listed.lengthBytes()).isEqualTo(4);
    assertThat(listed.etag()).isEqualTo(put.etag());
    // Some stores tell milliseconds here and seconds there.
    ObjectInfo head = store().head(key("a")).join().orElseThrow();
    assertThat(listed.modified().truncatedTo(ChronoUnit.SECONDS))
        .isEqualTo(head.modified().truncatedTo(ChronoUnit.SECONDS));
  }

  private List<String> list(String prefix, String after, int limit) {
    String from = after.isEmpty() ? "" : space + "/" + after;
    return store().list(space + "/" + prefix, from, limit).join().objects().stream()
        .map(object -> object.key().value().substring(space.length() + 1))
        .toList();
  }

  @Test
  void deletedObjectsAreGoneAndMayBeDeletedAgain() {
    store().put(key("a"), text("x")).join();
    store().put(key("a/b"), text("x")).join();
    store().put(key("c"), text("kept")).join();
    List<ObjectKey> keys = List.of(key("a"), key("a/b"), key("never"));
    store().delete(keys).join();
    store().delete(keys).join();
    store().delete(List.of()).join();
    assertThat(list("", "", 10)).containsExactly("c");
    store().put(key("a/b"), text("again")).join();
    assertThat(read(key("a/b"))).isEqualTo("again");
  }

  @Test
  void manyObjectsAreDeletedInOneCall() {
    List<ObjectKey> keys = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      keys.add(key("many/" + i));
    }
    CompletableFuture.allOf(
            keys.stream()
                .map(key -> store().put(key, text("x")))
                .toArray(CompletableFuture<?>[]::new))
        .join();
    store().delete(keys).join();
    assertThat(list("many/", "", 100)).isEmpty();
  }

  /** As all stores here that keep no versions: what was replaced or deleted costs nothing. */
  @Test
  void nothingIsLeftOfWhatWasReplacedOrDeleted() {
    store().put(key("left/a"), text("x")).join();
    store().put(key("left/a"), text("y")).join();
    store().put(key("left/b"), text("x")).join();
    store().delete(List.of(key("left/b"))).join();
    for (Leftover.Of of : Leftover.Of.values()) {
      assertThat(
              store().leftovers(key("left").value(), of, Leftover.After.START).join().leftovers())
          .isEmpty();
    }
    store().purge(List.of()).join();
    assertThat(read(key("left/a"))).isEqualTo("y");
  }

  @Test
  void aDescriptionNamesTheKindOfStore() {
    assertThat(store().describe()).matches("[a-z0-9]+:.*");
  }
}
