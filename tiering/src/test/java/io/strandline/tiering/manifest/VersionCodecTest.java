package io.strandline.tiering.manifest;

import static io.strandline.tiering.manifest.ManifestBench.PARTITION;
import static io.strandline.tiering.manifest.ManifestBench.segments;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.manifest.index.EntryCodec;
import io.strandline.tiering.manifest.index.ManifestKeys;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Crc32C;
import org.junit.jupiter.api.Test;

/** Bytes that are not ours do no harm. */
class VersionCodecTest {
  private static final byte[] VERSION = aVersion();

  @Test
  void aVersionSurvivesTheJourney() {
    ManifestVersion version = VersionCodec.decode(PARTITION, ByteBuffer.wrap(VERSION));

    assertThat(VersionCodec.encode(version)).isEqualTo(ByteBuffer.wrap(VERSION));
    assertThat(version.segments()).isEqualTo(990);
    assertThat(version.retiredSegments()).isEqualTo(10);
    assertThat(version.index().levels()).hasSize(1);
  }

  @Test
  void anotherPartitionsVersionIsRefused() {
    TopicIdPartition other = new TopicIdPartition(new Uuid(7, 12), 3, "orders");

    assertThatThrownBy(() -> VersionCodec.decode(other, ByteBuffer.wrap(VERSION)))
        .isInstanceOf(CorruptManifestException.class);
  }

  @Test
  void everyPrefixIsRefused() {
    for (int length = 0; length < VERSION.length; length += 7) {
      ByteBuffer prefix = ByteBuffer.wrap(VERSION, 0, length).slice();
      assertThatThrownBy(() -> VersionCodec.decode(PARTITION, prefix))
          .isInstanceOf(CorruptManifestException.class);
    }
  }

  @Test
  void flagsOfALaterFormatAreRefused() {
    assertThat(EntryCodec.readFlags(ByteBuffer.wrap(new byte[] {5}), 7)).isEqualTo(5);
    assertThatThrownBy(() -> EntryCodec.readFlags(ByteBuffer.wrap(new byte[] {9}), 7))
        .isInstanceOf(CorruptManifestException.class)
        .hasMessageContaining("1001");
  }

  @Test
  void hostileBytesWithAGoodChecksumAreRefusedOrRead() {
    Random random = new Random(3);
    for (int i = 0; i < 20_000; i++) {
      byte[] hostile = VERSION.clone();
      int from = 6 + random.nextInt(hostile.length - 10);
      for (int j = from; j < Math.min(from + 1 + random.nextInt(6), hostile.length - 4); j++) {
        hostile[j] = (byte) random.nextInt();
      }
      int crc = (int) Crc32C.compute(hostile, 0, hostile.length - 4);
      ByteBuffer.wrap(hostile).putInt(hostile.length - 4, crc);
      try {
        VersionCodec.decode(PARTITION, ByteBuffer.wrap(hostile));
      } catch (CorruptManifestException expected) {
        // Nothing else may come out.
      }
    }
  }

  private static byte[] aVersion() {
    ManifestBench bench = new ManifestBench(Fencing.CHAIN);
    ManifestWriter writer = bench.writer(1);
    writer.add(segments(0, 1000)).join();
    writer.advanceStart(100).join();
    ByteBuffer bytes =
        bench.store.get(ManifestKeys.version(PARTITION, writer.view().version()), 1 << 20).join();
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }
}
