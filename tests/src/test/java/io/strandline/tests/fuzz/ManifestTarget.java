package io.strandline.tests.fuzz;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * A manifest's head and pages, read and walked through a store. A page's checksum stands in what
 * refers to it; both are mended.
 */
final class ManifestTarget implements FuzzTarget {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(7, 11), 3, "orders");
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-01-01T00:00:00Z"));
  private static final int ITEMS_MAX = 5_000;

  private final ManifestConfig.Fencing fencing;
  private final List<Map.Entry<ObjectKey, byte[]>> objects = new ArrayList<>();
  private final int head;

  ManifestTarget(ManifestConfig.Fencing fencing) {
    this.fencing = fencing;
    Map<ObjectKey, byte[]> all = written();
    int newest = -1;
    for (Map.Entry<ObjectKey, byte[]> object : all.entrySet()) {
      // Heads of a chain are listed newest first; a swapped one is alone. Pages begin otherwise.
      if (newest < 0 && ByteBuffer.wrap(object.getValue()).getInt() == 0x534c6d66) {
        newest = objects.size();
      }
      objects.add(Map.entry(object.getKey(), object.getValue()));
    }
    head = newest;
  }

  private Map<ObjectKey, byte[]> written() {
    ObjectStore store = new MemoryObjectStore(Runnable::run, CLOCK);
    ManifestWriter writer = manifests(store).acquire(PARTITION, 1).join();
    for (int i = 0; i < 3; i++) {
      writer.add(segments(i * 4_000L, 400)).join();
    }
    writer.advanceStart(5_500).join();
    writer.add(segments(12_000, 5)).join();
    Map<ObjectKey, byte[]> all = new TreeMap<>();
    for (ObjectInfo info : store.list("", "", 1000).join().objects()) {
      ByteBuffer bytes = store.get(info.key(), 1 << 20).join();
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      all.put(info.key(), copy);
    }
    return all;
  }

  private StoreManifests manifests(ObjectStore store) {
    return StoreManifests.open(
        store,
        new ManifestConfig(86_400_000, 16, 3_600_000, 1 << 20, Optional.empty(), fencing),
        new StoreManifests.Environment(
            CLOCK, new Random(1), Runnable::run, new SimpleMeterRegistry()));
  }

  private static List<UploadedSegment> segments(long from, int count) {
    List<UploadedSegment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long base = from + i * 10L;
      ObjectKey key = ObjectKey.of("ab12/" + PARTITION.topicId() + "/3/s-" + base);
      segments.add(
          new UploadedSegment(
              new SegmentEntry(
                  "cluster", PARTITION, key, 0, 1000, 900, 50, 1, base, base + 10, base, 1,
                  false)));
    }
    return segments;
  }

  @Override
  public String name() {
    return fencing == ManifestConfig.Fencing.CHAIN ? "manifest" : "swappedManifest";
  }

  /**
   * Number of an object, or its complement where sums were not mended; its new bytes; and the
   * head's, whose references follow the new bytes.
   */
  @Override
  public byte[] input(Random chance) {
    int number = chance.nextInt(3) > 0 ? head : chance.nextInt(objects.size());
    byte[] old = objects.get(number).getValue();
    byte[] bytes = old.clone();
    byte[] headBytes = objects.get(head).getValue().clone();
    if (number == head) {
      bytes = Mutations.some(bytes, chance);
    } else {
      Mutations.inPlace(bytes, 0, bytes.length, chance);
    }
    boolean mended = bytes.length > 4 && chance.nextInt(10) > 0;
    if (mended) {
      Crc.mend(bytes, 0, bytes.length - 4, bytes.length - 4);
    }
    if (number == head) {
      headBytes = bytes;
    } else if (mended) {
      replace(headBytes, Crc.of(old, 0, old.length), Crc.of(bytes, 0, bytes.length));
      Crc.mend(headBytes, 0, headBytes.length - 4, headBytes.length - 4);
    }
    return ByteBuffer.allocate(8 + bytes.length + headBytes.length)
        .putInt(mended ? number : ~number)
        .putInt(bytes.length)
        .put(bytes)
        .put(headBytes)
        .array();
  }

  private static void replace(byte[] bytes, int old, int fresh) {
    ByteBuffer all = ByteBuffer.wrap(bytes);
    for (int at = 0; at + 4 <= bytes.length; at++) {
      if (all.getInt(at) == old) {
        all.putInt(at, fresh);
      }
    }
  }

  @Override
  public void decode(byte[] input) throws Exception {
    ByteBuffer in = ByteBuffer.wrap(input);
    int said = in.getInt();
    int number = said < 0 ? ~said : said;
    ByteBuffer bytes = in.slice(8, in.getInt(4));
    ByteBuffer headBytes = in.slice(8 + bytes.remaining(), in.capacity() - 8 - bytes.remaining());
    ObjectStore store = new MemoryObjectStore(Runnable::run, CLOCK);
    for (int i = 0; i < objects.size(); i++) {
      ByteBuffer content = i == number ? bytes : i == head ? headBytes : null;
      store
          .put(
              objects.get(i).getKey(),
              Payload.of(content != null ? content : ByteBuffer.wrap(objects.get(i).getValue())))
          .join();
    }
    walk(manifests(store).read(PARTITION).join());
    if (said < 0
        && number == head
        && !bytes.equals(ByteBuffer.wrap(objects.get(head).getValue()))) {
      throw new AssertionError("damage went unnoticed");
    }
  }

  private static void walk(ManifestView view) {
    List<SegmentEntry> held = view.from(view.startOffset(), ITEMS_MAX).join();
    for (int i = 1; i < held.size(); i++) {
      if (held.get(i).endOffset() <= held.get(i).baseOffset()) {
        throw new AssertionError("let through: " + held.get(i));
      }
    }
    view.find(view.startOffset()).join();
    view.find(view.endOffset() - 1).join();
    view.firstReaching(7_000).join();
    view.retired(ITEMS_MAX).join();
  }

  @Override
  public boolean promises(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof CorruptManifestException || cause instanceof StoreException;
  }

  @Override
  public Allowance allowance() {
    return new Allowance(128, 8 << 20);
  }
}
