package io.strandline.broker.socket;

import io.strandline.broker.request.Reply;
import io.strandline.broker.socket.memory.HeldHeap;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one connection in the order in which they came: those that wait for their turn,
 * then those that are served, until it is their turn to be answered.
 *
 * <p>A request is served alone, as in Kafka, but for a Produce behind a Produce. What comes behind
 * one that takes its time stays with the client but for {@link #AHEAD_BYTES_MAX}: a fetch may wait
 * for days, and what waits behind it may not hold memory that others need.
 *
 * <p>On the connection's event loop, but {@link #heapBytes}.
 */
final class Turns {
  static final int AHEAD_BYTES_MAX = 16 << 10;

  private final int requestsMax;
  private final HeldHeap heap;
  private final Deque<Exchange> waiting = new ArrayDeque<>();
  private final Deque<Exchange> served = new ArrayDeque<>();
  private long aheadBytes;
  private volatile long heapBytes;

  /**
   * @param requestsMax of those that wait and those that are served
   * @param heap bounds what requests keep that are served for long
   */
  Turns(int requestsMax, HeldHeap heap) {
    this.requestsMax = requestsMax;
    this.heap = heap;
  }

  /** The heap that requests keep for which somebody else has to do something. Any thread. */
  long heapBytes() {
    return heapBytes;
  }

  boolean full() {
    return waiting.size() + served.size() >= requestsMax;
  }

  boolean isEmpty() {
    return waiting.isEmpty() && served.isEmpty();
  }

  /** Whether the next frame may be read, which is so long and a Produce or not. */
  boolean takes(int bytes, boolean produce) {
    return (waiting.isEmpty() && mayFollow(produce)) || aheadBytes + bytes <= AHEAD_BYTES_MAX;
  }

  private boolean mayFollow(boolean produce) {
    return served.isEmpty() || (produce && served.getLast().api() == ApiKeys.PRODUCE);
  }

  /** Whether those that wait keep more memory than they may for long. */
  boolean holdMuch() {
    return aheadBytes > AHEAD_BYTES_MAX;
  }

  void add(Exchange came) {
    waiting.add(came);
    aheadBytes += came.requestBytes();
  }

  /** The next that is to be served now, if there is one. */
  @Nullable Exchange next() {
    Exchange next = waiting.peek();
    if (next == null || !mayFollow(next.api() == ApiKeys.PRODUCE)) {
      return null;
    }
    waiting.remove();
    aheadBytes -= next.requestBytes();
    served.add(next);
    return next;
  }

  /**
   * Its handler has returned; without an answer it may keep what it was made of for long. A Produce
   * lies in its frame, not in the heap.
   */
  void returned(Exchange exchange) {
    if (exchange.reply() == null && exchange.api() != ApiKeys.PRODUCE) {
      exchange.keeps(exchange.requestBytes());
      keep(exchange.kept());
    }
  }

  void answered(Exchange exchange, Reply reply) {
    exchange.reply(reply);
    keep(-exchange.kept());
    exchange.keeps(0);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
  private void keep(long bytes) {
    if (bytes != 0) {
      heapBytes = heapBytes + bytes;
      heap.take(bytes);
    }
  }

  /** The next whose answer is to be sent now, if there is one. */
  @Nullable Exchange done() {
    Exchange first = served.peek();
    return first == null || first.reply() == null ? null : served.remove();
  }

  /** The connection is lost: gives up those that wait, and hands over those that are served. */
  List<Exchange> end() {
    waiting.forEach(exchange -> exchange.request().releaseFrame());
    waiting.clear();
    aheadBytes = 0;
    List<Exchange> left = new ArrayList<>(served);
    served.clear();
    keep(-heapBytes);
    return left;
  }
}
