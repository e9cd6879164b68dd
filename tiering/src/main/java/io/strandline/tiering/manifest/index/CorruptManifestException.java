package io.strandline.tiering.manifest.index;

/** Bytes that are no manifest or index page of ours, or of a format this release does not read. */
public final class CorruptManifestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CorruptManifestException(String message) {
    super(message);
  }

  public CorruptManifestException(String message, Throwable cause) {
    super(message, cause);
  }
}
