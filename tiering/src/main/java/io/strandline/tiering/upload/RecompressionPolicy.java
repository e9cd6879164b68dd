package io.strandline.tiering.upload;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Which topics' batches are compressed again, by zstd, on their way to the tier: the first rule
 * whose pattern fits a topic's whole name says at which level.
 */
public record RecompressionPolicy(List<Rule> rules) {
  private static final int LEVEL_MAX = 22;
  private static final String INTERNAL = "__";

  /**
   * One rule.
   *
   * @param pattern a topic's name, in which {@code *} stands for any characters and {@code ?} for
   *     one; names that begin with two underscores are only meant by patterns that do
   * @param level of zstd, 1 to 22
   */
  public record Rule(String pattern, int level) {
    public Rule {
      if (!pattern.matches("[A-Za-z0-9._*?-]{1,249}") || level < 1 || level > LEVEL_MAX) {
        throw new IllegalArgumentException(
            "not <pattern>:<level>: " + pattern + ":" + level + "; levels are 1 to " + LEVEL_MAX);
      }
    }

    private boolean fits(String topic) {
      String regex = pattern.replace(".", "\\.").replace("*", ".*").replace("?", ".");
      return pattern.startsWith(INTERNAL) == topic.startsWith(INTERNAL)
          && Pattern.matches(regex, topic);
    }
  }

  public RecompressionPolicy {
    rules = List.copyOf(rules);
  }

  /** Nothing is compressed again. */
  public static RecompressionPolicy none() {
    return new RecompressionPolicy(List.of());
  }

  /**
   * Reads {@code <pattern>:<level>,…}; nothing for {@link #none}.
   *
   * @throws IllegalArgumentException that says what is wrong
   */
  public static RecompressionPolicy parse(String text) {
    List<Rule> rules = new ArrayList<>();
    for (String rule : text.isBlank() ? new String[0] : text.split(",", -1)) {
      String[] parts = rule.strip().split(":", -1);
      if (parts.length != 2 || !parts[1].matches("[0-9]{1,2}")) {
        throw new IllegalArgumentException("not <pattern>:<level>: " + rule.strip());
      }
      rules.add(new Rule(parts[0], Integer.parseInt(parts[1])));
    }
    return new RecompressionPolicy(rules);
  }

  /** At which level a topic's batches are compressed again, if they are. */
  public OptionalInt level(String topic) {
    return rules.stream().filter(rule -> rule.fits(topic)).mapToInt(Rule::level).findFirst();
  }
}
