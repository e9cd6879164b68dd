package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Watches that each buffer is released. Install before the first buffer is made. */
final class Leaks {
  private static final Queue<String> FOUND = new ConcurrentLinkedQueue<>();

  static {
    System.setProperty("io.netty.leakDetection.level", "paranoid");
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(
        new ResourceLeakDetectorFactory() {
          @Override
          @SuppressWarnings("deprecation")
          public <T> ResourceLeakDetector<T> newResourceLeakDetector(
              Class<T> resource, int samplingInterval, long maxActive) {
            return new ResourceLeakDetector<>(resource, samplingInterval) {
              @Override
              protected void reportTracedLeak(String resourceType, String records) {
                FOUND.add(resourceType + records);
              }

              @Override
              protected void reportUntracedLeak(String resourceType) {
                FOUND.add(resourceType);
              }
            };
          }
        });
  }

  private Leaks() {}

  static void install() {
    FOUND.clear();
  }

  /** Fails when a buffer of the server's allocator is still held, or one was lost before. */
  static void assertNone() {
    assertThat(PooledByteBufAllocator.DEFAULT.pinnedDirectMemory())
        .as("direct bytes held")
        .isZero();
    assertThat(PooledByteBufAllocator.DEFAULT.pinnedHeapMemory()).as("heap bytes held").isZero();
    assertThat(FOUND).isEmpty();
  }
}
