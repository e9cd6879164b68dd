package io.strandline.tools;

import java.util.Map;
import java.util.Objects;

/** What an admin client's answer, a map from what was asked, holds. */
final class Answer {
  private Answer() {}

  /** The answer to one question, which a complete answer always has. */
  static <K, V> V to(Map<K, V> answers, K asked) {
    return Objects.requireNonNull(answers.get(asked), () -> "no answer for " + asked);
  }
}
