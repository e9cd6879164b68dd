package io.strandline.broker.guard.quota;

import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.quota.ThrottleCallback;

/** What clients may use of this broker. Any thread, never blocking. */
public interface Quotas {

  /**
   * Charges a client for a request that was served. If it took more than it may, its connection is
   * told to stop reading at once, and to go on when the time is over, by another thread.
   *
   * <p>What the answer says already counts as owed: the controller said so.
   *
   * @return milliseconds for which the connection stops, which the answer tells the client
   *     (KIP-219); 0 if it goes on
   */
  int charge(Usage usage, ThrottleCallback connection);

  /**
   * Whether a consumer may be given so many bytes of records (0: any), which are then charged. It
   * may not while it is above its rate, over whichever connections: it is answered without records,
   * and told how long to wait when the answer is charged. A connection that was not given what it
   * asked for is next in turn.
   */
  boolean admit(RequestContext consumer, int bytes);

  /** A consumer was given so many bytes of records more than it was admitted for. */
  void owe(RequestContext consumer, int bytes);

  /**
   * A connection has ended: it is nobody's turn to wait for.
   *
   * @param connectionId as {@link RequestContext#connectionId}
   */
  void gone(String connectionId);

  /** Bytes of records that may be fetched at once without a pause being sure to follow. */
  int fetchBytesMax(RequestContext who);

  /** Nobody is limited, but where the controller says so. */
  static Quotas none() {
    return new Quotas() {
      @Override
      public int charge(Usage usage, ThrottleCallback connection) {
        return usage.answerThrottleMs();
      }

      @Override
      public boolean admit(RequestContext consumer, int bytes) {
        return true;
      }

      @Override
      public void owe(RequestContext consumer, int bytes) {}

      @Override
      public void gone(String connectionId) {}

      @Override
      public int fetchBytesMax(RequestContext who) {
        return Integer.MAX_VALUE;
      }
    };
  }
}
