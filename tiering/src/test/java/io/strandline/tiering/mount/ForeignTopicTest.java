package io.strandline.tiering.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.mount.ForeignTopic.Use;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ForeignTopicTest {
  private static final Uuid THERE = new Uuid(1, 2);
  private static final Uuid HERE = new Uuid(3, 4);

  @ParameterizedTest
  @EnumSource
  void aValueSaysWhatItWasMadeOf(Use use) {
    ForeignTopic said = new ForeignTopic(use, "aBwRFW1wSYKvdAaN_8Zn0g", THERE, Optional.empty());
    assertThat(ForeignTopic.parse(said.value())).isEqualTo(said);
    ForeignTopic held = said.heldBy(HERE);
    assertThat(ForeignTopic.parse(held.value())).isEqualTo(held);
  }

  @Test
  void aLaterTopicOfTheSameNameIsNotMeant() {
    ForeignTopic said = new ForeignTopic(Use.MOUNT, "c", THERE, Optional.empty());
    assertThat(said.isOf(HERE)).isTrue();
    assertThat(said.heldBy(HERE).isOf(HERE)).isTrue();
    assertThat(said.heldBy(HERE).isOf(new Uuid(5, 6))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "mount", "mount:c", "mount:c:short", "own:c:AAAAAAAAAAEAAAAAAAAAAg"})
  void whatIsNoValueIsRefused(String text) {
    assertThatThrownBy(() -> ForeignTopic.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("restore");
  }
}
