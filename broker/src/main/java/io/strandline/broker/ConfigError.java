package io.strandline.broker;

/** A configuration that can not be used; the message has one line per wrong key. */
public final class ConfigError extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** With one line per wrong key. */
  public ConfigError(String message) {
    super(message);
  }
}
