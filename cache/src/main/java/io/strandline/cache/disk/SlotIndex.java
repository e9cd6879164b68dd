package io.strandline.cache.disk;

import io.strandline.cache.ChunkKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which slot holds which chunk, least recently read first. A chunk that was read since it came is
 * passed over {@value #LIVES} times before it goes, and whoever wanted its slot is not admitted:
 * otherwise a history that is replayed twice, and so is offered twice, would throw out what is read
 * all the time. Threads: any; guarded by its own monitor, a leaf; nothing here touches a disk.
 */
final class SlotIndex {
  private static final int LIVES = 3;

  private final LinkedHashMap<ChunkKey, Slot> slots = new LinkedHashMap<>(16, 0.75f, true);
  private final ArrayDeque<Slot> empty = new ArrayDeque<>();
  private final Set<ChunkKey> writing = new HashSet<>();
  private long usedBytes;

  synchronized boolean holds(ChunkKey key) {
    return slots.containsKey(key);
  }

  synchronized boolean hasEmpty() {
    return !empty.isEmpty();
  }

  synchronized int count() {
    return slots.size();
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  /** The chunk's slot, not reused until {@link #unpin}. */
  synchronized @Nullable Slot pin(ChunkKey key) {
    Slot slot = slots.get(key);
    if (slot != null) {
      slot.pins++;
      slot.lives = LIVES;
    }
    return slot;
  }

  synchronized void unpin(Slot slot) {
    slot.pins--;
    if (slot.pins == 0 && slot.orphaned) {
      empty.add(Slot.empty(slot.file(), slot.number()));
    }
  }

  /**
   * An empty slot for this chunk, for which another may be evicted; null when the chunk is there,
   * is being written, or the next slot is not to be had. Ends with {@link #put} or {@link
   * #giveBack}.
   */
  synchronized @Nullable Slot take(ChunkKey key) {
    if (slots.containsKey(key) || writing.contains(key)) {
      return null;
    }
    Slot slot = empty.poll();
    if (slot == null) {
      slot = evictOne();
    }
    if (slot != null) {
      writing.add(key);
    }
    return slot;
  }

  synchronized void put(ChunkKey key, Slot slot) {
    writing.remove(key);
    slots.put(key, slot);
    usedBytes += slot.lengthBytes();
  }

  /** The slot taken for this chunk was not written. */
  synchronized void giveBack(ChunkKey key, Slot slot) {
    writing.remove(key);
    addEmpty(slot);
  }

  synchronized void addEmpty(Slot slot) {
    empty.add(Slot.empty(slot.file(), slot.number()));
  }

  /** Forgets a chunk whose slot turned out bad; the slot is empty once nobody reads it. */
  synchronized void remove(ChunkKey key, Slot slot) {
    if (slots.remove(key, slot)) {
      usedBytes -= slot.lengthBytes();
      slot.orphaned = true;
    }
  }

  /** Forgets an object; slots that nobody reads are returned, to be erased and given back. */
  synchronized List<Slot> forget(String object) {
    List<Slot> gone = new ArrayList<>();
    Iterator<Map.Entry<ChunkKey, Slot>> all = slots.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<ChunkKey, Slot> entry = all.next();
      if (entry.getKey().object().equals(object)) {
        all.remove();
        usedBytes -= entry.getValue().lengthBytes();
        if (entry.getValue().pins == 0) {
          gone.add(entry.getValue());
        } else {
          entry.getValue().orphaned = true;
        }
      }
    }
    return gone;
  }

  private @Nullable Slot evictOne() {
    for (Map.Entry<ChunkKey, Slot> coldest : slots.entrySet()) {
      Slot slot = coldest.getValue();
      if (slot.pins > 0) {
        continue;
      }
      if (slot.lives > 0) {
        slot.lives--;
        Slot unused = slots.get(coldest.getKey()); // to the end of the line
        return null;
      }
      slots.remove(coldest.getKey());
      usedBytes -= slot.lengthBytes();
      return slot.emptied();
    }
    return null;
  }
}
