package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;

class OldCodecsTest {
  private static final Compression[] OLD = {
    Compression.NONE,
    Compression.gzip().build(),
    Compression.snappy().build(),
    Compression.lz4().build()
  };

  private final Random random = new Random(5);

  private ByteBuffer batch(Compression codec) {
    byte[] value = "v".repeat(1 + random.nextInt(400)).getBytes(StandardCharsets.UTF_8);
    return MemoryRecords.withRecords(codec, new SimpleRecord(value)).buffer();
  }

  private List<ByteBuffer> cut(List<ByteBuffer> batches) {
    ByteBuffer all = ByteBuffer.allocate(batches.stream().mapToInt(ByteBuffer::remaining).sum());
    batches.forEach(all::put);
    all.flip();
    List<ByteBuffer> slices = new ArrayList<>();
    while (all.hasRemaining()) {
      int take = Math.min(all.remaining(), 1 + random.nextInt(90));
      slices.add(all.slice(all.position(), take));
      all.position(all.position() + take);
    }
    return slices;
  }

  @Test
  void zstdIsFoundWhereverItStands() {
    for (int round = 0; round < 200; round++) {
      List<ByteBuffer> batches = new ArrayList<>();
      int count = 1 + random.nextInt(6);
      for (int i = 0; i < count; i++) {
        batches.add(batch(OLD[random.nextInt(OLD.length)]));
      }
      assertThat(OldCodecs.zstd(cut(batches))).isFalse();
      batches.set(random.nextInt(count), batch(Compression.zstd().build()));
      assertThat(OldCodecs.zstd(cut(batches))).isTrue();
    }
  }
}
