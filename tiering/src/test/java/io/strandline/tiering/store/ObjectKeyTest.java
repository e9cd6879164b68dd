package io.strandline.tiering.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectKeyTest {
  @Test
  void keepsWhatItIsGiven() {
    assertThat(ObjectKey.of("a1/Topic_x-y.z/0").toString()).isEqualTo("a1/Topic_x-y.z/0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "a//b", "/a", "a/", "a/../b", "./a", "a b", "ü", "a\\b"})
  void refusesWhatAFileStoreOrAnUrlCouldMisread(String value) {
    assertThatIllegalArgumentException().isThrownBy(() -> ObjectKey.of(value));
  }
}
