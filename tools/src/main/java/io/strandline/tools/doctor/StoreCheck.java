package io.strandline.tools.doctor;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.StoreProbe;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.open.StoreRuntime;
import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;

/**
 * The object store, asked for all that a node asks of it, below {@link StoreProbe#PREFIX} and under
 * a name that nothing else has; what was written is removed. Cost: some ten requests, half of them
 * of the price of a PUT.
 */
final class StoreCheck implements Check {
  private static final String FIRST = "first, by the doctor";
  private static final String PUT = "s3:PutObject";
  private static final String GET = "s3:GetObject";
  private static final String LIST = "s3:ListBucket";
  private static final String DELETE = "s3:DeleteObject";
  private static final String ABORT = "s3:AbortMultipartUpload";
  private static final String UPLOADS = "s3:ListBucketMultipartUploads";
  private static final String VERSIONS = "s3:ListBucketVersions";
  private static final String DELETE_VERSION = "s3:DeleteObjectVersion";

  private final NodeConfig config;
  private final StoreRuntime.Time time;
  private final SecureRandom random;
  private final List<Finding> findings = new ArrayList<>();

  StoreCheck(NodeConfig config, StoreRuntime.Time time, SecureRandom random) {
    this.config = config;
    this.time = time;
    this.random = random;
  }

  /** What one step asks. */
  private interface Question<T> {
    CompletableFuture<T> ask();
  }

  @Override
  public List<Finding> run() throws IOException {
    String keyRing = config.get("strandline.encryption.keyring", "");
    if (!keyRing.isEmpty()) {
      keyRing(Path.of(keyRing));
    }
    byte[] name = new byte[8];
    random.nextBytes(name);
    ObjectKey key = ObjectKey.of(StoreProbe.PREFIX + "doctor-" + HexFormat.of().formatHex(name));
    try (TrialStores stores = new TrialStores(config.storeUri(), time, random)) {
      if (write(stores.whole(), key)) {
        owner(stores.whole());
        read(stores.whole(), key);
        list(stores.whole(), key);
        once(stores.whole(), key);
        if (stores.inParts().isPresent() && !config.replays()) {
          inParts(stores.inParts().get(), ObjectKey.of(key + "-parts"));
        }
        delete(stores.whole(), key);
      }
    } catch (IllegalArgumentException e) {
      findings.add(
          Finding.fail(
              "bucket", String.valueOf(e.getMessage()), "Put strandline.object.store right."));
    }
    return findings;
  }

  private void keyRing(Path file) {
    try {
      var unused = FileKeyRing.open(file, random);
      findings.add(Finding.ok("keyring", file + " is read"));
    } catch (IllegalArgumentException e) {
      findings.add(
          Finding.fail(
              "keyring",
              String.valueOf(e.getMessage()),
              "Without its keys no encrypted segment is read: put the file back, as on other brokers."));
    }
  }

  /** The answer; empty if it is a failure, which is a finding then. */
  private <T> Optional<T> step(String check, String permission, Question<T> question) {
    try {
      return Optional.of(question.ask().join());
    } catch (RuntimeException e) {
      findings.add(StoreTrouble.of(check, permission, StoreException.of(e)));
      return Optional.empty();
    }
  }

  /** Whether there is a store to ask more of. */
  private boolean write(ObjectStore store, ObjectKey key) {
    Instant before = time.clock().instant();
    long begun = time.nanoTicker().getAsLong();
    try {
      ObjectInfo written = store.putIfAbsent(key, payload(FIRST)).join();
      long nanos = time.nanoTicker().getAsLong() - begun;
      findings.add(
          Finding.ok("bucket write", store.describe() + " took it in " + Quantity.nanos(nanos)));
      findings.add(
          Clocks.compare(
              "clock store",
              "the object store",
              written.modified(),
              before,
              time.clock().instant()));
      return true;
    } catch (RuntimeException e) {
      StoreException failure = StoreException.of(e);
      findings.add(StoreTrouble.of("bucket write", PUT, failure));
      if (!StoreTrouble.away(failure)) {
        // Who may not write may perhaps read: both are told at once.
        step("bucket list", LIST, () -> store.list(key.value(), "", 1))
            .ifPresent(page -> findings.add(Finding.ok("bucket list", "it is listed")));
      }
      return false;
    }
  }

  private void owner(ObjectStore store) throws IOException {
    Optional<Optional<String>> asked = step("bucket owner", GET, () -> StoreOwner.read(store));
    if (asked.isEmpty()) {
      return;
    }
    Optional<String> owner = asked.get();
    Optional<String> ours = clusterId();
    if (owner.isEmpty()) {
      findings.add(Finding.ok("bucket owner", "nobody's yet"));
    } else if (ours.isPresent() && !ours.equals(owner)) {
      findings.add(
          Finding.fail(
              "bucket owner",
              "the prefix is cluster " + owner.get() + "'s, this is cluster " + ours.get(),
              "Each cluster has a prefix of its own: put strandline.object.store right."));
    } else {
      findings.add(Finding.ok("bucket owner", "cluster " + owner.get()));
    }
  }

  private Optional<String> clusterId() throws IOException {
    for (Path directory : config.logDirectories()) {
      Path file = directory.resolve("meta.properties");
      if (Files.exists(file)) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
          properties.load(reader);
        }
        return Optional.ofNullable(properties.getProperty("cluster.id"));
      }
    }
    return Optional.empty();
  }

  private void read(ObjectStore store, ObjectKey key) {
    step("bucket read", GET, () -> store.get(key, 64))
        .ifPresent(bytes -> expect("bucket read", FIRST, bytes));
    step("bucket read of a range", GET, () -> store.get(key, 7, 2))
        .ifPresent(bytes -> expect("bucket read of a range", FIRST.substring(7, 9), bytes));
  }

  private void expect(String check, String written, ByteBuffer read) {
    findings.add(
        StandardCharsets.UTF_8.decode(read).toString().equals(written)
            ? Finding.ok(check, "the bytes that were written")
            : Finding.fail(
                check, "other bytes than were written", "What stands between us and the store?"));
  }

  private void list(ObjectStore store, ObjectKey key) {
    step("bucket list", LIST, () -> store.list(key.value(), "", 2))
        .ifPresent(
            page ->
                findings.add(
                    page.objects().size() == 1
                        ? Finding.ok("bucket list", "shows what was written")
                        : Finding.fail(
                            "bucket list",
                            "does not show what was just written",
                            "A tier needs lists that are consistent: docs/object-stores.md.")));
  }

  /** Who comes second must be refused, or two leaders destroy each other's history. */
  private void once(ObjectStore store, ObjectKey key) {
    String check = "bucket create once";
    try {
      var unused = store.putIfAbsent(key, payload("second, by the doctor")).join();
    } catch (RuntimeException e) {
      StoreException failure = StoreException.of(e);
      findings.add(
          failure instanceof StoreException.PreconditionFailed
              ? Finding.ok(check, "the second writer was refused")
              : StoreTrouble.of(check, PUT, failure));
      return;
    }
    String found = "If-None-Match is ignored: the second writer won over the first";
    findings.add(
        config.get("strandline.store.single.writer", "false").equals("true")
            ? Finding.warn(
                check, found, "Bearable only as long as this broker is the only one that writes.")
            : Finding.fail(
                check,
                found,
                "Two brokers could destroy each other's history: the node would not start. Use a"
                    + " store that keeps conditions (docs/object-stores.md), or, for one broker"
                    + " alone, strandline.store.single.writer=true."));
  }

  /** Longer segments go in parts; what fails in the middle must be taken back. */
  private void inParts(ObjectStore store, ObjectKey key) {
    Optional<ObjectInfo> put = step("bucket parts", PUT, () -> store.put(key, payload(FIRST)));
    if (put.isEmpty()) {
      return;
    }
    findings.add(Finding.ok("bucket parts", "an upload in parts was completed"));
    var broken =
        new Payload.Made(
            from -> {
              throw new IOException("broken off by the doctor");
            },
            0,
            FIRST.length());
    CompletableFuture<?> failed = store.put(key, new Payload(List.of(broken)));
    try {
      var unused = failed.join();
    } catch (RuntimeException e) {
      left(store, key);
    }
    var unused = step("bucket delete", DELETE, () -> deleted(store, key));
  }

  private void left(ObjectStore store, ObjectKey key) {
    String check = "bucket abort";
    List<Leftover> uploads;
    try {
      uploads =
          store
              .leftovers(key.value(), Leftover.Of.UPLOADS, Leftover.After.START)
              .join()
              .leftovers();
    } catch (RuntimeException e) {
      findings.add(asWarning(StoreTrouble.of(check, UPLOADS, StoreException.of(e))));
      return;
    }
    if (uploads.isEmpty()) {
      findings.add(Finding.ok(check, "an upload that was broken off left nothing"));
      return;
    }
    String found = "an upload that was broken off is still there, and costs";
    try {
      store.purge(uploads).join();
    } catch (RuntimeException e) {
      found += ": " + StoreException.of(e).getMessage();
    }
    findings.add(
        Finding.warn(
            check,
            found,
            "Allow "
                + ABORT
                + ", and give the bucket a lifecycle rule with AbortIncompleteMultipartUpload."));
  }

  private void delete(ObjectStore store, ObjectKey key) {
    if (step("bucket delete", DELETE, () -> deleted(store, key)).isEmpty()) {
      return;
    }
    step("bucket delete", GET, () -> store.head(key))
        .ifPresent(
            left ->
                findings.add(
                    left.isEmpty()
                        ? Finding.ok("bucket delete", "what was written is gone")
                        : Finding.fail(
                            "bucket delete",
                            "what was deleted is still there",
                            "A tier needs deletions that are consistent: docs/object-stores.md.")));
    versions(store, key);
  }

  private void versions(ObjectStore store, ObjectKey key) {
    String check = "bucket versions";
    List<Leftover> kept;
    try {
      kept =
          store
              .leftovers(key.value(), Leftover.Of.VERSIONS, Leftover.After.START)
              .join()
              .leftovers();
    } catch (RuntimeException e) {
      findings.add(asWarning(StoreTrouble.of(check, VERSIONS, StoreException.of(e))));
      return;
    }
    if (kept.isEmpty()) {
      findings.add(Finding.ok(check, "none are kept"));
    } else if (config.get("strandline.scrub.versions", "").equals("delete")) {
      purge(store, kept, check);
    } else {
      // Ours go with all the others: a node that deletes none needs no right to.
      findings.add(
          Finding.warn(
              check,
              "the bucket keeps old versions, so that deleted history goes on costing",
              "A lifecycle rule with NoncurrentVersionExpiration and ExpiredObjectDeleteMarker, or"
                  + " strandline.scrub.versions=delete."));
    }
  }

  private void purge(ObjectStore store, List<Leftover> kept, String check) {
    try {
      store.purge(kept).join();
      findings.add(Finding.ok(check, "kept, and deleted by the brokers"));
    } catch (RuntimeException e) {
      findings.add(asWarning(StoreTrouble.of(check, DELETE_VERSION, StoreException.of(e))));
    }
  }

  /** Of what a node can do without. */
  private static Finding asWarning(Finding finding) {
    return Finding.warn(finding.check(), finding.found(), finding.advice());
  }

  private static CompletableFuture<Boolean> deleted(ObjectStore store, ObjectKey key) {
    return deleted(store.delete(List.of(key)));
  }

  private static CompletableFuture<Boolean> deleted(CompletableFuture<Void> done) {
    return done.thenApply(unused -> true);
  }

  private static Payload payload(String text) {
    return Payload.of(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }
}
