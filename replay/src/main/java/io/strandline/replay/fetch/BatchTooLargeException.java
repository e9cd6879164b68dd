package io.strandline.replay.fetch;

/** A batch that is larger than this process serves; a setting, not a state that passes. */
public final class BatchTooLargeException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean news;

  BatchTooLargeException(long bytes, long bytesMax, boolean news) {
    super(
        "a batch of "
            + bytes
            + " bytes is more than the replay budget holds, and than the "
            + bytesMax
            + " that are served beside it");
    this.news = news;
  }

  /** Whether nothing of the kind was told of its segment lately: its length may be damaged. */
  public boolean isNews() {
    return news;
  }
}
