package io.strandline.broker.request;

import io.strandline.broker.guard.quota.Quotas;
import io.strandline.replay.ReplayException;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From a request to its handler, and from a failure to the error the protocol has for it. */
public final class Dispatcher {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

  /** The bodies of these are views of the frame, which is needed until they are served. */
  private static final Set<ApiKeys> VIEWS = EnumSet.of(ApiKeys.PRODUCE, ApiKeys.PUSH_TELEMETRY);

  private final ApiTable table;
  private final Consumer<String> gone;
  private final Quotas quotas;

  public Dispatcher(ApiTable table) {
    this(table, connection -> {}, Quotas.none());
  }

  /**
   * @param gone told the id of each connection that has ended; does not block
   */
  public Dispatcher(ApiTable table, Consumer<String> gone, Quotas quotas) {
    this.table = table;
    this.gone = gone;
    this.quotas = quotas;
  }

  /** What the clients of these APIs may use. */
  public Quotas quotas() {
    return quotas;
  }

  /** No answer reaches that connection any more. */
  public void gone(String connectionId) {
    gone.accept(connectionId);
    quotas.gone(connectionId);
  }

  public ApiTable table() {
    return table;
  }

  /**
   * Serves the request. The stage never fails; when it completes, the request's frame has been
   * released.
   */
  public CompletionStage<Reply> dispatch(Request<?> request) {
    CompletionStage<Reply> served = call(request);
    if (!VIEWS.contains(request.api())) {
      request.releaseFrame();
    }
    return served.handle(
        (reply, failure) -> {
          request.releaseFrame();
          return failure == null ? reply : errorReply(request, cause(failure));
        });
  }

  @SuppressWarnings({"unchecked", "rawtypes"}) // the table pairs each API with its body's type
  private CompletionStage<Reply> call(Request<?> request) {
    try {
      Handler handler = table.handler(request.api()).orElseThrow();
      return handler.handle(request);
    } catch (RuntimeException | Error failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private static Reply errorReply(Request<?> request, Throwable failure) {
    if (!(failure instanceof ApiException)) {
      LOG.atError()
          .addKeyValue("api", request.api())
          .addKeyValue("version", request.version())
          .addKeyValue("client", request.context().connectionId)
          .setCause(failure)
          .log("request failed unexpectedly");
    }
    return errorReply(request.body(), failure);
  }

  private static Reply errorReply(AbstractRequest body, Throwable failure) {
    try {
      AbstractResponse response = body.getErrorResponse(failure);
      return response == null ? Reply.closeConnection() : Reply.of(response);
    } catch (RuntimeException absurd) {
      // Some of Kafka's requests have no answer when what may be null is.
      LOG.atInfo().setCause(absurd).log("request has no error answer");
      return Reply.closeConnection();
    }
  }

  /** What really failed, out of the wrappings of futures. */
  public static Throwable cause(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /**
   * The protocol's code for a failure; {@link Errors#UNKNOWN_SERVER_ERROR} when it has none. Of
   * history: clients try again by themselves after {@link Errors#KAFKA_STORAGE_ERROR} and tell
   * their application of {@link Errors#CORRUPT_MESSAGE}.
   */
  public static Errors error(Throwable failure) {
    Throwable cause = cause(failure);
    if (cause instanceof ReplayException replay) {
      return switch (replay.kind()) {
        case OUT_OF_RANGE -> Errors.OFFSET_OUT_OF_RANGE;
        case UNAVAILABLE -> Errors.KAFKA_STORAGE_ERROR;
        case CORRUPT -> Errors.CORRUPT_MESSAGE;
        case UNDECODABLE -> Errors.INVALID_RECORD;
      };
    }
    return Errors.forException(cause);
  }
}
