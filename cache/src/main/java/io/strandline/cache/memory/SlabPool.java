package io.strandline.cache.memory;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A fixed amount of memory outside the heap, in slabs that are allocated when first needed and kept
 * for ever; each slab is cut in halves down to {@value #BLOCK_BYTES_MIN} bytes (buddy allocation,
 * Knowlton 1965). Threads: any; guarded by its own monitor, which is a leaf.
 */
final class SlabPool {
  static final int BLOCK_BYTES_MIN = 4096;

  private static final Logger LOG = LoggerFactory.getLogger(SlabPool.class);

  private final int slabBytes;
  private final int slabOrder;
  private volatile int slabsMax; // less than configured if the JVM gives less
  private final ArrayDeque<Slab> unused = new ArrayDeque<>();
  // By the order of the largest free block, so that the fullest slab that fits is found at once.
  private final List<LinkedHashSet<Slab>> byLargestFree = new ArrayList<>();
  private int slabs;
  private long usedBytes;

  SlabPool(long budgetBytes, int slabBytes) {
    this.slabBytes = slabBytes;
    this.slabOrder = Integer.numberOfTrailingZeros(slabBytes / BLOCK_BYTES_MIN);
    this.slabsMax = Math.toIntExact(budgetBytes / slabBytes);
    for (int order = 0; order <= slabOrder; order++) {
      byLargestFree.add(new LinkedHashSet<>());
    }
  }

  /** A run of memory of at least the bytes asked for. */
  final class Block {
    private final Slab slab;
    private final int node;
    private final int order;

    private Block(Slab slab, int node, int order) {
      this.slab = slab;
      this.node = node;
      this.order = order;
    }

    /** The first {@code lengthBytes} bytes, to be written or read. */
    ByteBuffer view(int lengthBytes) {
      int index = node + 1 - (1 << (slabOrder - order));
      return slab.memory.slice(index * sizeBytes(), lengthBytes);
    }

    int sizeBytes() {
      return BLOCK_BYTES_MIN << order;
    }
  }

  /** A complete binary tree; a node knows the order of the largest free block below it, or -1. */
  private static final class Slab {
    final ByteBuffer memory;
    final byte[] largestFree;

    Slab(int slabBytes, int slabOrder) {
      memory = ByteBuffer.allocateDirect(slabBytes);
      largestFree = new byte[(2 << slabOrder) - 1];
      int node = 0;
      for (int depth = 0; depth <= slabOrder; depth++) {
        for (int i = 0; i < 1 << depth; i++) {
          largestFree[node++] = (byte) (slabOrder - depth);
        }
      }
    }

    int take(int order, int slabOrder) {
      int node = 0;
      for (int at = slabOrder; at > order; at--) {
        int left = 2 * node + 1;
        int right = left + 1;
        // The tighter child, so that large blocks stay whole.
        boolean leftFits = largestFree[left] >= order;
        boolean rightTighter =
            largestFree[right] >= order && largestFree[right] < largestFree[left];
        node = leftFits && !rightTighter ? left : right;
      }
      largestFree[node] = -1;
      refresh(node, order);
      return node;
    }

    void give(int node, int order) {
      largestFree[node] = (byte) order;
      refresh(node, order);
    }

    private void refresh(int from, int orderOfFrom) {
      int node = from;
      int order = orderOfFrom;
      while (node > 0) {
        node = (node - 1) / 2;
        byte left = largestFree[2 * node + 1];
        byte right = largestFree[2 * node + 2];
        boolean whole = left == order && right == order;
        order++;
        largestFree[node] = whole ? (byte) order : (byte) Math.max(left, right);
      }
    }
  }

  long budgetBytes() {
    return (long) slabsMax * slabBytes;
  }

  int blockBytesMax() {
    return slabBytes;
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  /** The size of the block that {@code lengthBytes} bytes would take. */
  static int blockBytes(int lengthBytes) {
    return BLOCK_BYTES_MIN << order(lengthBytes);
  }

  /** A block, or null when there is no free run of that size. */
  synchronized @Nullable Block allocate(int lengthBytes) {
    int order = order(lengthBytes);
    if (order > slabOrder) {
      throw new IllegalArgumentException(
          "a chunk of " + lengthBytes + " bytes does not fit a slab of " + slabBytes);
    }
    Slab slab = slabWith(order);
    if (slab == null) {
      return null;
    }
    int node = slab.take(order, slabOrder);
    file(slab);
    usedBytes += BLOCK_BYTES_MIN << order;
    return new Block(slab, node, order);
  }

  synchronized void free(Block block) {
    unfile(block.slab);
    block.slab.give(block.node, block.order);
    file(block.slab);
    usedBytes -= block.sizeBytes();
  }

  private @Nullable Slab slabWith(int order) {
    for (int at = order; at < slabOrder; at++) {
      LinkedHashSet<Slab> fitting = byLargestFree.get(at);
      if (!fitting.isEmpty()) {
        Slab slab = fitting.iterator().next();
        fitting.remove(slab);
        return slab;
      }
    }
    if (!unused.isEmpty()) {
      return unused.pop();
    }
    if (slabs < slabsMax) {
      try {
        Slab slab = new Slab(slabBytes, slabOrder);
        slabs++;
        return slab;
      } catch (OutOfMemoryError limit) {
        // The JVM allows less direct memory than was configured: what there is has to do.
        slabsMax = slabs;
        LOG.atError()
            .addKeyValue("bytes", (long) slabs * slabBytes)
            .addKeyValue("reason", String.valueOf(limit.getMessage()))
            .log("no more direct memory for the cache, which stays this small");
      }
    }
    return null;
  }

  private void file(Slab slab) {
    int largest = slab.largestFree[0];
    if (largest == slabOrder) {
      unused.push(slab);
    } else if (largest >= 0) {
      byLargestFree.get(largest).add(slab);
    }
  }

  private void unfile(Slab slab) {
    int largest = slab.largestFree[0];
    if (largest >= 0) {
      byLargestFree.get(largest).remove(slab);
    }
  }

  private static int order(int lengthBytes) {
    int blocks = (lengthBytes + BLOCK_BYTES_MIN - 1) / BLOCK_BYTES_MIN;
    return 32 - Integer.numberOfLeadingZeros(blocks - 1);
  }
}
