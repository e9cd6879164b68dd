package io.strandline.tiering.store;

/**
 * The name of an object below the store's prefix: segments of {@code [A-Za-z0-9._-]} joined by
 * {@code /}, at most 512 characters, never empty, never {@code .} or {@code ..}.
 */
public record ObjectKey(String value) implements Comparable<ObjectKey> {
  private static final int MAX_CHARS = 512;

  public ObjectKey {
    if (!isKey(value)) {
      throw new IllegalArgumentException("not an object key: " + value);
    }
  }

  public static ObjectKey of(String value) {
    return new ObjectKey(value);
  }

  /** Whether {@code value} is a key; a store may hold objects that are not ours. */
  public static boolean isKey(String value) {
    return value.length() <= MAX_CHARS && wellFormed(value);
  }

  /** Whether {@code value} may stand between two slashes of a key. */
  public static boolean isPart(String value) {
    return !value.isEmpty()
        && !value.equals(".")
        && !value.equals("..")
        && value.chars().allMatch(ObjectKey::allowed);
  }

  private static boolean wellFormed(String value) {
    for (String part : value.split("/", -1)) {
      if (!isPart(part)) {
        return false;
      }
    }
    return true;
  }

  private static boolean allowed(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '_'
        || c == '-';
  }

  @Override
  public int compareTo(ObjectKey other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
