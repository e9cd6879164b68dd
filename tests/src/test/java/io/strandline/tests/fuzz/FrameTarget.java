package io.strandline.tests.fuzz;

import io.strandline.broker.socket.SocketUnderFuzz;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * What a connection sends, in reads cut anywhere: what comes out is what a plain loop over the
 * lengths finds, in memory that follows what was sent and not what was claimed.
 */
final class FrameTarget implements FuzzTarget {
  /** What the reader keeps at hand whatever is sent, and what it begins a frame with. */
  private static final long AT_HAND_BYTES = (1 << 20) + (256 << 10);

  private final SocketUnderFuzz socket;

  FrameTarget(SocketUnderFuzz socket) {
    this.socket = socket;
  }

  @Override
  public String name() {
    return "frame";
  }

  /** A seed for the cuts, then frames. */
  @Override
  public byte[] input(Random chance) {
    int count = 1 + chance.nextInt(6);
    ByteBuffer all = ByteBuffer.allocate(4 << 20);
    all.putLong(chance.nextLong());
    for (int i = 0; i < count; i++) {
      int length = 8 + chance.nextInt(chance.nextInt(20) == 0 ? 500_000 : 3_000);
      boolean honest = chance.nextInt(8) > 0;
      all.putInt(honest ? length : lie(chance));
      all.putShort(chance.nextInt(3) == 0 ? ApiKeys.PRODUCE.id : (short) chance.nextInt(80));
      byte[] rest = new byte[length - 2];
      Arrays.fill(rest, (byte) i);
      all.put(rest);
    }
    int cut = chance.nextInt(4) == 0 ? chance.nextInt(all.position() - 8) : 0;
    return Arrays.copyOf(all.array(), all.position() - cut);
  }

  /** Absurd, or as much as a peer may claim. */
  private static int lie(Random chance) {
    return chance.nextBoolean()
        ? (int) Mutations.extreme(chance)
        : SocketUnderFuzz.FRAME_BYTES_MAX - chance.nextInt(2_000);
  }

  @Override
  public void decode(byte[] input) {
    ByteBuffer in = ByteBuffer.wrap(input);
    Random cuts = new Random(in.getLong());
    int sent = in.remaining();
    SocketUnderFuzz.Cut cut = socket.cut(pieces(in, cuts));
    in.position(8);
    for (byte[] frame : cut.frames()) {
      byte[] expected = new byte[in.getInt()];
      in.get(expected);
      if (!Arrays.equals(frame, expected)) {
        throw new AssertionError("another frame than was sent, of " + frame.length + " bytes");
      }
    }
    boolean next = in.remaining() >= 4 && whole(in.getInt(in.position()), in.remaining() - 4);
    boolean absurd = in.remaining() >= 4 && absurd(in.getInt(in.position()));
    if (next || absurd != cut.refused()) {
      throw new AssertionError("not cut at " + in.position() + ", refused: " + cut.refused());
    }
    if (cut.heldBytes() != 0 || cut.peakBytes() > AT_HAND_BYTES + 3L * sent) {
      throw new AssertionError(
          "memory: " + cut.peakBytes() + " of " + sent + ", left " + cut.heldBytes());
    }
  }

  private static boolean whole(int length, int available) {
    return !absurd(length) && length <= available;
  }

  private static boolean absurd(int length) {
    return length < 8 || length > SocketUnderFuzz.FRAME_BYTES_MAX;
  }

  private static List<byte[]> pieces(ByteBuffer in, Random cuts) {
    List<byte[]> pieces = new ArrayList<>();
    int most = 1 + cuts.nextInt(cuts.nextBoolean() ? 200 : 70_000);
    while (in.hasRemaining()) {
      byte[] piece = new byte[Math.min(1 + cuts.nextInt(most), in.remaining())];
      in.get(piece);
      pieces.add(piece);
    }
    return pieces;
  }

  @Override
  public boolean promises(Throwable failure) {
    return false;
  }

  /** An object or two for each read, and the copies that this test makes. */
  @Override
  public Allowance allowance() {
    return new Allowance(2_000, 4 << 20);
  }
}
