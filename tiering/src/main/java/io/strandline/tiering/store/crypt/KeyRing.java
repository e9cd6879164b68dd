package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletableFuture;

/**
 * The keys that wrap the keys of objects: a file's ({@link FileKeyRing}), or those of a service.
 * New keys are wrapped by the active one; others stay for as long as objects need them.
 *
 * <p>Wrapping is authenticated, the context included: what was wrapped with another context, or was
 * changed, does not unwrap. Nothing here prints a key. Threads: any; does not block for long.
 */
public interface KeyRing {
  /**
   * Makes a key by chance, wrapped by the active one. No two calls give the same.
   *
   * @param context what the key is for; must be given again
   * @return fails with {@link StoreException.Refused} if there is nothing to wrap with
   */
  CompletableFuture<DataKey> create(byte[] context);

  /**
   * Gives back what was wrapped.
   *
   * @return fails with {@link StoreException.Undeciphered} if the ring lacks the key or it does not
   *     fit, and with {@link StoreException.Unavailable} if that cannot be told now
   */
  CompletableFuture<byte[]> unwrap(WrappedKey wrapped, byte[] context);

  /** A ring without keys: wraps nothing and unwraps nothing. */
  static KeyRing none() {
    return new KeyRing() {
      @Override
      public CompletableFuture<DataKey> create(byte[] context) {
        return CompletableFuture.failedFuture(
            new StoreException.Refused("there is no key ring to encrypt with", null));
      }

      @Override
      public CompletableFuture<byte[]> unwrap(WrappedKey wrapped, byte[] context) {
        return CompletableFuture.failedFuture(
            StoreException.Undeciphered.lacks(wrapped.keyId(), "there is no key ring"));
      }
    };
  }
}
