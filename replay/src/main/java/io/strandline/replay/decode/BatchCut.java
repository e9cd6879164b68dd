package io.strandline.replay.decode;

/**
 * Where whole batches lie in a run of bytes.
 *
 * @param from first byte of the first batch taken
 * @param to byte after the last one taken; equals {@code from} when none was
 * @param nextOffset offset after the last batch taken
 * @param neededBytes when none was taken for want of bytes: a length of the run that gets further;
 *     else 0
 * @param atEnd whether the data ends at {@code to}
 */
public record BatchCut(int from, int to, long nextOffset, int neededBytes, boolean atEnd) {
  public boolean isEmpty() {
    return to == from;
  }

  public int sizeBytes() {
    return to - from;
  }
}
