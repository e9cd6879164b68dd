package io.strandline.replay.fetch;

/** A batch that is larger than this process serves; a setting, not a state that passes. */
public final class BatchTooLargeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  BatchTooLargeException(long bytes, long bytesMax) {
    super(
        "a batch of "
            + bytes
            + " bytes is more than the replay budget holds, and than the "
            + bytesMax
            + " that are served beside it");
  }
}
