package io.strandline.tiering.store.crypt;

/** A key made for one object, and the same wrapped, to be kept with it. Does not print itself. */
public final class DataKey {
  private final byte[] bytes;
  private final WrappedKey wrapped;

  /**
   * @param bytes 32
   */
  public DataKey(byte[] bytes, WrappedKey wrapped) {
    this.bytes = bytes.clone();
    this.wrapped = wrapped;
  }

  /** The key itself: a secret. */
  public byte[] bytes() {
    return bytes.clone();
  }

  public WrappedKey wrapped() {
    return wrapped;
  }

  @Override
  public String toString() {
    return "DataKey[under " + wrapped.keyId() + "]";
  }
}
