package io.strandline.broker.request;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;

/**
 * What is to be sent for a request: a response, or nothing for a Produce with acks 0, or the end of
 * the connection.
 *
 * <p>Records in a response are carried without copies by {@code MemoryRecords} (one buffer), {@link
 * SliceRecords} (several buffers) or Kafka's {@code UnalignedFileRecords} (a region of a file, sent
 * by sendfile); what they point to stays valid until {@link #done()}.
 */
public final class Reply {
  private @Nullable AbstractResponse response;
  private final boolean close;
  private final @Nullable Runnable whenDone;
  private final AtomicBoolean done = new AtomicBoolean();

  private Reply(@Nullable AbstractResponse response, boolean close, @Nullable Runnable whenDone) {
    this.response = response;
    this.close = close;
    this.whenDone = whenDone;
  }

  public static Reply of(AbstractResponse response) {
    return new Reply(response, false, null);
  }

  /**
   * @param whenDone run exactly once, on any thread, after the last byte was written or the
   *     connection was lost: closes replay reads, unpins segments
   */
  public static Reply of(AbstractResponse response, Runnable whenDone) {
    return new Reply(response, false, whenDone);
  }

  /** Nothing goes out and the next request is served: Produce with acks 0 that succeeded. */
  public static Reply none() {
    return new Reply(null, false, null);
  }

  /** The connection ends: for a Produce with acks 0 that failed, and where Kafka does so too. */
  public static Reply closeConnection() {
    return new Reply(null, true, null);
  }

  /** What the controller's answer to a request, or its failure, becomes for the client. */
  public static CompletionStage<Reply> forwarded(
      Request<? extends AbstractRequest> request,
      CompletionStage<? extends AbstractResponse> answer) {
    return answer.handle(
        (response, failure) -> {
          if (failure == null) {
            return of(response);
          }
          Throwable cause = Dispatcher.cause(failure);
          // The controller was upgraded or downgraded since ApiVersions was answered: the client
          // shall connect and ask anew, as with Kafka.
          return cause instanceof UnsupportedVersionException
              ? closeConnection()
              : of(request.body().getErrorResponse(cause));
        });
  }

  public @Nullable AbstractResponse response() {
    return response;
  }

  /**
   * It is in bytes now: what they were made of is let go, which may be many times as much memory.
   */
  public void encoded() {
    response = null;
  }

  public boolean closesConnection() {
    return close;
  }

  /** Called by whoever sends, once nothing of the reply is needed any more. Idempotent. */
  public void done() {
    if (whenDone != null && done.compareAndSet(false, true)) {
      whenDone.run();
    }
  }
}
