package io.strandline.tiering.store.s3.receive;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;

/**
 * The body of one answer. As long as its subscriber wants more it is told of pieces as they come;
 * else they wait, and the connection reads no more until they are gone.
 *
 * <p>All in the event loop of the connection; {@link #request} and {@link #cancel} go there.
 */
final class Pieces implements Publisher<ByteBuffer>, Subscription {
  private final Connection connection;
  private final boolean lent;
  private final Queue<ByteBuf> waiting = new ArrayDeque<>();
  private @Nullable Subscriber<? super ByteBuffer> subscriber;
  private long wanted;
  private boolean last;
  private boolean over;
  private boolean delivering;

  /**
   * @param lent whether pieces are lent to the subscriber, for as long as it is being told of them;
   *     else each is its own
   */
  Pieces(Connection connection, boolean lent) {
    this.connection = connection;
    this.lent = lent;
  }

  @Override
  public void subscribe(Subscriber<? super ByteBuffer> one) {
    connection.inLoop(
        () -> {
          if (subscriber != null || over) {
            one.onSubscribe(new Ended());
            one.onError(new IllegalStateException("a body is read once"));
            return;
          }
          subscriber = one;
          one.onSubscribe(this);
          deliver();
        });
  }

  /** The subscription of who comes too late. */
  private static final class Ended implements Subscription {
    @Override
    public void request(long more) {}

    @Override
    public void cancel() {}
  }

  @Override
  public void request(long more) {
    connection.inLoop(
        () -> {
          if (more <= 0) {
            connection.broken(new IllegalArgumentException("asked for " + more + " pieces"));
            return;
          }
          wanted = wanted + more < 0 ? Long.MAX_VALUE : wanted + more;
          deliver();
        });
  }

  @Override
  public void cancel() {
    connection.inLoop(
        () -> {
          if (!over) {
            subscriber = null; // Who gave up is told nothing more.
            connection.broken(new IllegalStateException("the reader gave the body up"));
          }
        });
  }

  /** Takes the next piece over, its reference too. */
  void add(ByteBuf piece) {
    if (over || !piece.isReadable()) {
      piece.release();
      return;
    }
    waiting.add(piece);
    deliver();
  }

  /** No more comes. */
  void end() {
    last = true;
    deliver();
  }

  /** Whether more may come without being asked for. */
  boolean hungry() {
    return over || waiting.isEmpty();
  }

  void fail(Throwable why) {
    if (!over) {
      close();
      if (subscriber != null) {
        subscriber.onError(why);
      }
    }
  }

  private void close() {
    over = true;
    waiting.forEach(ByteBuf::release);
    waiting.clear();
  }

  private void deliver() {
    if (delivering || over) {
      return;
    }
    delivering = true;
    try {
      while (!over && subscriber != null && wanted > 0 && !waiting.isEmpty()) {
        wanted = wanted == Long.MAX_VALUE ? wanted : wanted - 1;
        give(waiting.remove(), subscriber);
      }
    } finally {
      delivering = false;
    }
    if (!over && last && waiting.isEmpty() && subscriber != null) {
      over = true;
      subscriber.onComplete();
      connection.bodyEnded();
    } else {
      connection.readWhile(hungry());
    }
  }

  private void give(ByteBuf piece, Subscriber<? super ByteBuffer> to) {
    try {
      to.onNext(lent ? piece.nioBuffer() : copy(piece));
    } catch (RuntimeException e) {
      connection.broken(e);
    } finally {
      piece.release();
    }
  }

  private static ByteBuffer copy(ByteBuf piece) {
    ByteBuffer own = ByteBuffer.allocate(piece.readableBytes());
    piece.readBytes(own);
    return own.flip();
  }
}
