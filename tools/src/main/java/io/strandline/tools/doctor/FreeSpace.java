package io.strandline.tools.doctor;

/**
 * The limits that a broker keeps in the file system of a log directory, as {@code
 * strandline.disk.high.watermark} and {@code strandline.disk.reserve} say: a used part as {@code
 * 85%}, free bytes, {@code off}, or empty for the broker's own default.
 *
 * @param highBytes with less free than this, the oldest tiered segments go
 * @param reserveBytes with less free than this, producers are refused
 */
record FreeSpace(long highBytes, long reserveBytes) {
  private static final long GIB = 1L << 30;

  /**
   * @throws IllegalArgumentException if a limit is none
   */
  static FreeSpace of(NodeConfig config, long totalBytes) {
    return new FreeSpace(
        limit(config, "strandline.disk.high.watermark", totalBytes, totalBytes / 10, 50 * GIB),
        limit(config, "strandline.disk.reserve", totalBytes, totalBytes / 50, GIB));
  }

  private static long limit(
      NodeConfig config, String key, long totalBytes, long partBytes, long mostBytes) {
    String text = config.get(key, "");
    if (text.isEmpty()) {
      return Math.min(partBytes, mostBytes);
    }
    if (text.equals("off")) {
      return 0;
    }
    try {
      return text.endsWith("%")
          ? totalBytes / 100 * (100 - Integer.parseInt(text.substring(0, text.length() - 1)))
          : Math.min(totalBytes, Long.parseLong(text));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(key + "=" + text + " is not a limit", e);
    }
  }
}
