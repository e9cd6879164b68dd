package io.strandline.tiering.store;

/** The bytes of an object that a ranged read asks for: at least one, from {@code positionBytes}. */
public record ReadRange(ObjectKey key, long positionBytes, int lengthBytes) {
  /**
   * @throws IllegalArgumentException if the position is negative or the length below 1
   */
  public ReadRange {
    if (positionBytes < 0 || lengthBytes < 1) {
      throw new IllegalArgumentException(
          "not a range of bytes: " + lengthBytes + " from " + positionBytes);
    }
  }

  /**
   * Checks that an object of {@code objectBytes} has all of them.
   *
   * @throws StoreException.OutOfRange if not
   */
  public void checkWithin(long objectBytes) {
    if (positionBytes > objectBytes - lengthBytes) {
      throw outOfRange("it has " + objectBytes + " bytes");
    }
  }

  /** The failure of a read of bytes that are not there. */
  public StoreException.OutOfRange outOfRange(String why) {
    return new StoreException.OutOfRange(
        key + " has no " + lengthBytes + " bytes from " + positionBytes + ": " + why);
  }
}
