package io.strandline.tiering.restore;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Backups of a cluster's metadata in its store, and its generations: 0 for the cluster as it was
 * first made, one more each time it is restored. A node of a lower generation than the newest
 * claimed belongs to a cluster that was given up, and must not write any more.
 *
 * <p>Keys sort newest first, so that one LIST of one key finds it. Threads: any; no method blocks.
 */
public final class MetadataBackups {
  private static final String PLACE = "metadata/";
  private static final String CLAIMS = PLACE + "generation-";
  private static final int PAGE = 1000;
  private static final int BYTES_MAX = 1 << 30;
  private static final Pattern CLAIM = Pattern.compile("metadata/generation-([0-9a-f]{8})");
  private static final Pattern BACKUP =
      Pattern.compile("metadata/([0-9a-f]{8})/([0-9a-f]{16})-([0-9]{1,10})\\.checkpoint(\\.enc)?");

  private final ObjectStore store;
  private final boolean encrypted;

  /** Reads what is there and writes in clear. */
  public MetadataBackups(ObjectStore store) {
    this(store, false);
  }

  /**
   * @param encrypted whether backups get names that the store encrypts: they hold what passwords
   *     can be guessed from
   */
  public MetadataBackups(ObjectStore store, boolean encrypted) {
    this.store = store;
    this.encrypted = encrypted;
  }

  /** Whether this is a key of a backup or of a claim. */
  public static boolean owns(ObjectKey key) {
    return CLAIM.matcher(key.value()).matches() || BACKUP.matcher(key.value()).matches();
  }

  /**
   * One backup.
   *
   * @param generation of the cluster that wrote it
   * @param endOffset,epoch of the snapshot in it
   * @param written by the store's clock
   */
  public record Backup(
      ObjectKey key, int generation, long endOffset, int epoch, long bytes, Instant written) {}

  private ObjectKey key(int generation, long endOffset, int epoch) {
    return ObjectKey.of(
        String.format(
                Locale.ROOT,
                "%s%08x/%016x-%d.checkpoint",
                PLACE,
                Integer.MAX_VALUE - generation,
                Long.MAX_VALUE - endOffset,
                epoch)
            + (encrypted ? EncryptedObjectStore.SUFFIX : ""));
  }

  private static ObjectKey claimKey(int generation) {
    return ObjectKey.of(
        String.format(Locale.ROOT, "%s%08x", CLAIMS, Integer.MAX_VALUE - generation));
  }

  /** Writes a backup; the same snapshot again is the same object. Cost: 1 PUT. */
  public CompletableFuture<ObjectInfo> put(
      int generation, long endOffset, int epoch, ByteBuffer snapshot) {
    return store.put(key(generation, endOffset, epoch), Payload.of(snapshot.duplicate()));
  }

  /** At most a thousand backups, the newest of the latest generation first. Cost: 1 LIST. */
  public CompletableFuture<List<Backup>> newest() {
    return store.list(PLACE, "", PAGE).thenApply(MetadataBackups::backups);
  }

  private static List<Backup> backups(ObjectStore.Page page) {
    List<Backup> found = new ArrayList<>();
    for (ObjectInfo info : page.objects()) {
      Matcher name = BACKUP.matcher(info.key().value());
      if (name.matches()) {
        found.add(
            new Backup(
                info.key(),
                Integer.MAX_VALUE - Integer.parseInt(name.group(1), 16),
                Long.MAX_VALUE - Long.parseLong(name.group(2), 16),
                Integer.parseInt(name.group(3)),
                info.lengthBytes(),
                info.modified()));
      }
    }
    return found;
  }

  /** The snapshot as it was put. Cost: 1 GET. */
  public CompletableFuture<ByteBuffer> read(Backup backup) {
    return store.get(backup.key(), BYTES_MAX);
  }

  /**
   * Deletes all but the newest. Cost: 1 LIST, and 1 DELETE if there is anything.
   *
   * @return how many were deleted
   */
  public CompletableFuture<Integer> prune(int kept) {
    return newest()
        .thenCompose(
            all -> {
              List<ObjectKey> old = all.stream().skip(kept).map(Backup::key).toList();
              return old.isEmpty()
                  ? CompletableFuture.completedFuture(0)
                  : store.delete(old).thenApply(done -> old.size());
            });
  }

  /** The latest generation that was claimed, 0 if none was. Cost: 1 LIST of one key. */
  public CompletableFuture<Integer> generation() {
    return store
        .list(CLAIMS, "", 1)
        .thenApply(
            page ->
                page.objects().stream()
                    .map(info -> CLAIM.matcher(info.key().value()))
                    .filter(Matcher::matches)
                    .map(name -> Integer.MAX_VALUE - Integer.parseInt(name.group(1), 16))
                    .findFirst()
                    .orElse(0));
  }

  /**
   * Takes a generation, after which nodes of lower ones stop writing. Cost: 1 PUT.
   *
   * @param why a line for whoever looks at the object
   * @return fails with {@link StoreException.PreconditionFailed} if another took it
   */
  public CompletableFuture<ObjectInfo> claim(int generation, String why) {
    ByteBuffer text = ByteBuffer.wrap((why + "\n").getBytes(StandardCharsets.UTF_8));
    return store.putIfAbsent(claimKey(generation), Payload.of(text));
  }

  /**
   * Whether a node of this generation may write.
   *
   * @return fails with {@link StoreException.Refused} if the cluster was restored elsewhere
   */
  public CompletableFuture<Void> check(int generation) {
    return generation()
        .thenAccept(
            latest ->
                refuse(generation, latest)
                    .ifPresent(
                        r -> {
                          throw r;
                        }));
  }

  /**
   * Whether a backup up to this offset would be the newest of its generation. Cost: 1 LIST.
   *
   * @return fails with {@link Overtaken} if there is one of a higher offset
   */
  public CompletableFuture<Void> checkNewest(int generation, long endOffset) {
    return newest()
        .thenAccept(
            all ->
                all.stream()
                    .filter(there -> there.generation() == generation)
                    .findFirst()
                    .filter(there -> there.endOffset() > endOffset)
                    .ifPresent(
                        there -> {
                          throw new Overtaken(store.describe(), there.endOffset(), endOffset);
                        }));
  }

  /**
   * There are backups of a higher offset than the cluster has come to: they are of another one that
   * had its id, and what was written now would be taken for the oldest and be deleted.
   */
  public static final class Overtaken extends StoreException.Refused {
    private static final long serialVersionUID = 1;

    Overtaken(String store, long there, long here) {
      super(
          "the backups in "
              + store
              + " go up to offset "
              + there
              + " of the metadata, and this cluster has come to "
              + here
              + ": it was formatted anew under the id of one that was lost. Restore that one, or"
              + " take away what lies below "
              + PLACE
              + " if nothing of it is missed",
          null);
    }
  }

  /** The cluster was restored elsewhere: this node must not write any more. */
  public static final class Superseded extends StoreException.Refused {
    private static final long serialVersionUID = 1;

    Superseded(String message) {
      super(message, null);
    }
  }

  private Optional<Superseded> refuse(int generation, int latest) {
    return latest <= generation
        ? Optional.empty()
        : Optional.of(
            new Superseded(
                "the cluster of "
                    + store.describe()
                    + " was restored elsewhere, as generation "
                    + latest
                    + "; this node belongs to generation "
                    + generation
                    + " and must not write: stop it, and keep its disks until nothing on them is"
                    + " missed"));
  }
}
