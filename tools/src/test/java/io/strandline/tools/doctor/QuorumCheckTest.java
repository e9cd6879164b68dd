package io.strandline.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many voters may fail that keep up. */
class QuorumCheckTest {
  @ParameterizedTest
  @CsvSource({"3, 1, true", "5, 1, false", "5, 2, true", "7, 2, false", "7, 3, true", "4, 1, true"})
  void theNextThatFailsIsOneTooManyWhenNoMoreThanAMajorityKeepsUp(
      int voters, int behind, boolean stops) {
    assertThat(QuorumCheck.nextStops(voters, behind)).isEqualTo(stops);
    // What is left has to be more than half of all.
    assertThat((voters - behind - 1) * 2 <= voters).isEqualTo(stops);
  }
}
