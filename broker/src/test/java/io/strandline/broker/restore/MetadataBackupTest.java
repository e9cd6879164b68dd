package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.snapshot.SnapshotSource;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.NoOpRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;
import org.apache.kafka.server.common.MetadataVersion;
import org.junit.jupiter.api.Test;

/** Which of two brokers backs the metadata up. */
class MetadataBackupTest {
  private static final long LOOK_MS = 600_000;

  private long nowMs = 1_000_000;
  private final InstantSource clock = () -> Instant.ofEpochMilli(nowMs);
  private final MetadataBackups backups =
      new MetadataBackups(new MemoryObjectStore(Runnable::run, clock));
  private final Broker first = new Broker();
  private final Broker second = new Broker();
  private long offset;

  /** What one broker knows and does. */
  private final class Broker {
    final AtomicBoolean chosen = new AtomicBoolean();
    final SnapshotSource source = new SnapshotSource();
    MetadataImage image = MetadataImage.EMPTY;
    final MetadataBackup backup =
        new MetadataBackup(
            backups,
            new MetadataBackup.Cluster(source, chosen::get, () -> 0, reason -> {}),
            new MetadataBackup.Settings(60_000, 10),
            new MetadataBackup.Environment(clock, Runnable::run, new SimpleMeterRegistry()));

    void hear(ApiMessage record) {
      MetadataDelta delta = new MetadataDelta.Builder().setImage(image).build();
      delta.replay(record);
      image = delta.apply(new MetadataProvenance(offset, 1, nowMs, true));
      source.onImage(delta, image);
    }

    boolean round() {
      return backup.round().join();
    }
  }

  private void both(ApiMessage record) {
    offset++;
    first.hear(record);
    second.hear(record);
  }

  private static ApiMessage topic(String name, long id) {
    return new TopicRecord().setName(name).setTopicId(new Uuid(1, id));
  }

  private static ApiMessage level() {
    return new FeatureLevelRecord()
        .setName(MetadataVersion.FEATURE_NAME)
        .setFeatureLevel(MetadataVersion.latestProduction().featureLevel());
  }

  private long newest() {
    return backups.newest().join().stream()
        .mapToLong(MetadataBackups.Backup::endOffset)
        .max()
        .orElse(-1);
  }

  @Test
  void onlyTheChosenOneWritesWhileItDoes() {
    first.chosen.set(true);
    both(level());
    both(topic("one", 1));
    assertThat(second.round()).isFalse();
    assertThat(first.round()).isTrue();
    assertThat(newest()).isEqualTo(3);
    both(new NoOpRecord());
    for (int look = 0; look < 4; look++) {
      nowMs += LOOK_MS;
      assertThat(first.round()).as("nothing changed").isFalse();
      assertThat(second.round()).as("all is there").isFalse();
    }
    assertThat(newest()).isEqualTo(3);
  }

  @Test
  void anotherStepsInWhenNobodyWritesForTwoLooks() {
    both(level());
    both(topic("one", 1));
    assertThat(second.round()).as("not time to look").isFalse();
    nowMs += LOOK_MS;
    assertThat(second.round()).as("missing for the first time").isFalse();
    nowMs += LOOK_MS / 2;
    assertThat(second.round()).as("between looks").isFalse();
    nowMs += LOOK_MS;
    assertThat(second.round()).as("missing again").isTrue();
    assertThat(newest()).isEqualTo(3);
    nowMs += LOOK_MS;
    assertThat(second.round()).as("all is there").isFalse();
  }

  @Test
  void whoIsChosenNextGoesOnAtOnce() {
    first.chosen.set(true);
    both(level());
    assertThat(first.round()).isTrue();
    first.chosen.set(false);
    second.chosen.set(true);
    both(topic("two", 2));
    assertThat(second.round()).isTrue();
    assertThat(newest()).isEqualTo(3);
    assertThat(backups.newest().join()).hasSize(2);
  }

  /** Its backups would count as the oldest, and go at once. */
  @Test
  void aClusterFormattedAnewUnderTheIdOfAnotherDoesNotWriteBesideThatOnesBackups() {
    for (int i = 0; i < 10; i++) {
      backups.put(0, 500 + i, 1, ByteBuffer.allocate(1)).join();
    }
    first.chosen.set(true);
    both(level());
    both(topic("one", 1));
    assertThatThrownBy(first::round)
        .hasCauseInstanceOf(MetadataBackups.Overtaken.class)
        .hasMessageContaining("formatted anew");
    assertThat(newest()).isEqualTo(509);
    offset = 600;
    both(topic("two", 2));
    assertThat(first.round()).as("further than all of them").isTrue();
    assertThat(newest()).isEqualTo(offset + 1);
  }
}
