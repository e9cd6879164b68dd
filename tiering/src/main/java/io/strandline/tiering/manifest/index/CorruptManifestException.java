package io.strandline.tiering.manifest.index;

import io.strandline.tiering.store.StoreException;
import java.util.Optional;
import java.util.concurrent.CompletionException;

/** Bytes that are no manifest or index page of ours, or of a format this release does not read. */
public final class CorruptManifestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CorruptManifestException(String message) {
    super(message);
  }

  public CorruptManifestException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * What is wrong with a manifest, if a look into it failed for what lies there or does not: then
   * another try is no use, and other partitions can be read. Empty for any other failure, such as
   * that of a store that does not answer.
   */
  public static Optional<String> damage(Throwable thrown) {
    Throwable failure = thrown;
    while (failure instanceof CompletionException && failure.getCause() != null) {
      failure = failure.getCause();
    }
    boolean damaged =
        failure instanceof CorruptManifestException
            || failure instanceof StoreException.NotFound
            || failure instanceof StoreException.OutOfRange;
    return damaged ? Optional.of(String.valueOf(failure.getMessage())) : Optional.empty();
  }
}
