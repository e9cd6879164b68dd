package io.strandline.tiering.store.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReadOnlyObjectStoreTest {
  private static final ObjectKey KEY = ObjectKey.of("a/b");

  private final MemoryObjectStore inner =
      new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final ObjectStore store = new ReadOnlyObjectStore(inner);

  /** A call that could change a store. */
  interface Write {
    CompletableFuture<?> on(ObjectStore store);
  }

  static Stream<Write> writes() {
    return Stream.of(
        store -> store.put(KEY, bytes(2)),
        store -> store.putIfAbsent(ObjectKey.of("other"), bytes(2)),
        store -> store.replace(KEY, bytes(2), store.head(KEY).join().orElseThrow().etag()),
        store -> store.delete(List.of(KEY)));
  }

  private static Payload bytes(int count) {
    return Payload.of(ByteBuffer.allocate(count));
  }

  @ParameterizedTest
  @MethodSource("writes")
  void aWriteIsRefusedAndChangesNothing(Write write) {
    var before = inner.put(KEY, bytes(1)).join();
    assertThatThrownBy(() -> write.on(store).join())
        .hasCauseInstanceOf(StoreException.Refused.class);
    assertThat(inner.list("", "", 10).join().objects()).containsExactly(before);
  }

  @Test
  void whatIsThereCanBeRead() {
    inner.put(KEY, bytes(1)).join();
    assertThat(store.get(KEY, 10).join().remaining()).isEqualTo(1);
    assertThat(store.get(KEY, 0, 1).join().remaining()).isEqualTo(1);
    assertThat(store.head(KEY).join()).isPresent();
    assertThat(store.list("a/", "", 10).join().objects()).hasSize(1);
  }
}
