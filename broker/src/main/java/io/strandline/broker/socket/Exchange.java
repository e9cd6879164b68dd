package io.strandline.broker.socket;

import io.strandline.broker.guard.quota.Usage;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.jspecify.annotations.Nullable;

/**
 * A request, what came of it, and when. All on the connection's event loop, but {@link #answered}.
 *
 * <p>Its time falls into these parts, as Kafka names them: <em>queue</em> until its handler is
 * called; <em>local</em> until the handler returns or, of a Produce, until all is written;
 * <em>remote</em> until there is an answer; <em>response queue</em> until its turn comes to be
 * written; <em>send</em> until its last byte was taken.
 */
final class Exchange {
  private final Request<?> request;
  private final HeldFrame frame;
  private final boolean charged;
  private @Nullable Reply reply;
  private long responseBytes;
  private int throttleMs;
  private long keptBytes;
  private long beganNanos;
  private long writingNanos;
  private boolean returned;
  private long returnedNanos;
  private volatile long answeredNanos;

  /**
   * @param charged whether it counts for the quotas of its client
   */
  Exchange(Request<?> request, HeldFrame frame, boolean charged) {
    this.charged = charged;
    this.request = request;
    this.frame = frame;
    this.beganNanos = request.receivedNanos();
  }

  Request<?> request() {
    return request;
  }

  ApiKeys api() {
    return request.api();
  }

  @Nullable Reply reply() {
    return reply;
  }

  void reply(Reply answer) {
    reply = answer;
  }

  int requestBytes() {
    return frame.bytes();
  }

  long responseBytes() {
    return responseBytes;
  }

  void responseBytes(long bytes) {
    responseBytes = bytes;
  }

  boolean charged() {
    return charged;
  }

  /** So much of the heap is kept for it while it waits for its answer. */
  void keeps(long bytes) {
    keptBytes = bytes;
  }

  long kept() {
    return keptBytes;
  }

  /** What it took of this broker, once there is an answer. */
  Usage usage(@Nullable AbstractResponse answer) {
    return new Usage(request.context(), request.body(), requestBytes(), answer, workNanos());
  }

  /**
   * For how long it kept a thread. A producer's transaction is verified first, which may be a write
   * on other brokers, and waits behind those before it: what is appended after that is not counted,
   * as in Kafka.
   */
  private long workNanos() {
    boolean verified =
        request.body() instanceof ProduceRequest produce && produce.transactionalId() != null;
    return (verified ? handlerEnd() : localEnd()) - beganNanos;
  }

  /** For so long its client has to wait after it. */
  void throttle(int millis) {
    throttleMs = millis;
  }

  int throttleMs() {
    return throttleMs;
  }

  // ---- what happens, in this order; the handler may answer before it returns

  void began(long nanos) {
    beganNanos = nanos;
  }

  void returned(long nanos) {
    returnedNanos = nanos;
    returned = true;
  }

  void answered(long nanos) {
    answeredNanos = nanos;
  }

  void writing(long nanos) {
    writingNanos = nanos;
  }

  // ---- how long each part took, once it has been answered

  long queueNanos() {
    return beganNanos - request.receivedNanos();
  }

  long localNanos() {
    return localEnd() - beganNanos;
  }

  long remoteNanos() {
    return answeredNanos - localEnd();
  }

  long responseQueueNanos(long endNanos) {
    return (writingNanos == 0 ? endNanos : writingNanos) - answeredNanos;
  }

  long sendNanos(long endNanos) {
    return writingNanos == 0 ? 0 : endNanos - writingNanos;
  }

  long totalNanos(long endNanos) {
    return endNanos - request.receivedNanos();
  }

  private long localEnd() {
    long end = handlerEnd();
    return api() == ApiKeys.PRODUCE ? untilAnswered(frame.releasedNanos(end)) : end;
  }

  private long handlerEnd() {
    return untilAnswered(returned ? returnedNanos : answeredNanos);
  }

  private long untilAnswered(long end) {
    return end - answeredNanos > 0 ? answeredNanos : end;
  }
}
