package io.strandline.tiering.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.ObjectKey;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentIdTest {
  @Property
  void aKeySpellsItsId(
      @ForAll long high,
      @ForAll long low,
      @ForAll @IntRange int partition,
      @ForAll @LongRange(min = 0) long base,
      @ForAll long unique) {
    TopicIdPartition tp = new TopicIdPartition(new Uuid(high, low), partition, "t");
    SegmentId id = SegmentId.of(tp, base, unique);
    assertThat(SegmentId.parse(id.key())).contains(id);
    assertThat(id.key().value()).startsWith(SegmentId.prefix(tp.topicId(), partition));
  }

  @Property
  void keysSortByOffset(
      @ForAll @LongRange(min = 0) long a, @ForAll @LongRange(min = 0) long b, @ForAll long u) {
    ObjectKey first = SegmentId.of(TestLog.PARTITION, Math.min(a, b), u).key();
    ObjectKey second = SegmentId.of(TestLog.PARTITION, Math.max(a, b), u).key();
    assertThat(first).isLessThanOrEqualTo(second);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a",
        "0000/AAAAAAAAAAAAAAAAAAAAAA/3/00000000000000000000-0000000000000000.seg",
        "0000/AAAAAAAAAAAAAAAAAAAAAA/3/99999999999999999999-0000000000000000.seg",
        "0000/AAAAAAAAAAAAAAAAAAAAAA/9999999999/00000000000000000000-0000000000000000.seg",
        "0000/AAAAAAAAAAAAAAAAAAAAAA/3/manifest/v-7"
      })
  void whatIsNotTheKeyOfASegmentIsNoId(String key) {
    assertThat(SegmentId.parse(ObjectKey.of(key))).isEmpty();
  }
}
