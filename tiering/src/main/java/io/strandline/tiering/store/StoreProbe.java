package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Tries a store at start, so that one that breaks the tier's promises is found before anything
 * rests on them. It writes below {@link #PREFIX} and removes what it wrote; what a crash leaves
 * there is a few bytes under a name of its own.
 *
 * <p>Cost: 4 PUT, 3 GET, 2 HEAD, 1 LIST, 1 DELETE. It cannot see whether racing writers are kept
 * apart: only that the condition is not ignored.
 */
public final class StoreProbe {
  /** Where the probe writes. */
  public static final String PREFIX = "probe/";

  /**
   * What was found.
   *
   * @param writesOnce whether a second {@link ObjectStore#putIfAbsent} was refused
   * @param replaces whether {@link ObjectStore#replace} took the right etag and refused a stale one
   * @param problems what else is wrong, as sentences; empty if all is well
   */
  public record Verdict(boolean writesOnce, boolean replaces, List<String> problems) {
    public Verdict {
      problems = List.copyOf(problems);
    }

    /** Whether the store can hold a tier that more than one broker writes. */
    public boolean fit() {
      return writesOnce && problems.isEmpty();
    }

    /** One sentence for the log or the refusal to start. */
    public String explain() {
      if (fit()) {
        return replaces
            ? "the store keeps its conditions"
            : "the store writes once, but does not replace by etag";
      }
      if (problems.isEmpty()) {
        return "the store let a second write-once win over the first (If-None-Match ignored):"
            + " two brokers could destroy each other's history";
      }
      return String.join("; ", problems);
    }
  }

  private static final int TEXT_BYTES_MAX = 64;

  private final ObjectStore store;
  private final ObjectKey key;
  private boolean writesOnce;
  private boolean replaces;
  private final List<String> problems = new ArrayList<>();

  private StoreProbe(ObjectStore store, ObjectKey key) {
    this.store = store;
    this.key = key;
  }

  /**
   * Runs the probe.
   *
   * @return fails with what the store failed with, if it is away or refuses us
   */
  public static CompletableFuture<Verdict> run(ObjectStore store, RandomGenerator random) {
    ObjectKey key = ObjectKey.of(PREFIX + Long.toHexString(random.nextLong()));
    return new StoreProbe(store, key).run();
  }

  private CompletableFuture<Verdict> run() {
    return writeOnceTwice()
        .thenCompose(etag -> replaceTwice(etag))
        .thenCompose(text -> readAndList(text))
        .thenCompose(unused -> store.delete(List.of(key)))
        .thenCompose(unused -> store.head(key))
        .thenApply(
            left -> {
              note(left.isEmpty(), "an object that was deleted is still there");
              return new Verdict(writesOnce, replaces, problems);
            });
  }

  /** What is there decides: a refusal may be the echo of a lost answer. Gives the etag. */
  private CompletableFuture<String> writeOnceTwice() {
    return refused(store.putIfAbsent(key, bytes("first")))
        .thenCompose(unused -> refused(store.putIfAbsent(key, bytes("second"))))
        .thenCompose(refused -> text().thenApply(text -> refused && text.equals("first")))
        .thenCompose(
            once -> {
              writesOnce = once;
              return store.head(key);
            })
        .thenApply(head -> head.map(ObjectInfo::etag).orElse(""));
  }

  /** Gives what is there in the end. */
  private CompletableFuture<String> replaceTwice(String etag) {
    return refused(store.replace(key, bytes("third"), etag))
        .thenCompose(unused -> refused(store.replace(key, bytes("later"), etag)))
        .thenCompose(
            refused ->
                text()
                    .thenApply(
                        text -> {
                          replaces = refused && text.equals("third");
                          return text;
                        }));
  }

  private CompletableFuture<String> text() {
    return store.get(key, TEXT_BYTES_MAX).thenApply(StoreProbe::decode);
  }

  private CompletableFuture<@Nullable Void> readAndList(String text) {
    return store
        .get(key, 1, 2)
        .thenCombine(
            store.list(key.value(), "", 2),
            (range, page) -> {
              note(
                  decode(range).equals(text.substring(1, 3)), "a read of a range gave other bytes");
              note(
                  page.objects().size() == 1 && page.objects().get(0).key().equals(key),
                  "a list does not show the object that was written");
              return null;
            });
  }

  private void note(boolean well, String problem) {
    if (!well) {
      problems.add(problem);
    }
  }

  /** Whether a conditional write was refused; an operation unknown to the store counts as such. */
  private static CompletableFuture<Boolean> refused(CompletableFuture<ObjectInfo> write) {
    return write.handle(
        (info, thrown) -> {
          if (thrown == null) {
            return false;
          }
          StoreException known = StoreException.of(thrown);
          if (known instanceof StoreException.Unavailable) {
            throw known;
          }
          return true;
        });
  }

  private static String decode(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  private static Payload bytes(String text) {
    return Payload.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }
}
