package io.strandline.broker.request.data;

import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;

/** Fetch, versions 4 to 18. */
final class FetchHandler implements Handler<FetchRequest> {
  private final FetchAttempt.Services services;
  private final FetchSessions sessions;

  FetchHandler(FetchAttempt.Services services, FetchSessions sessions) {
    this.services = services;
    this.sessions = sessions;
  }

  @Override
  public CompletionStage<Reply> handle(Request<FetchRequest> request) {
    FetchSessions.Turn turn;
    try {
      turn = sessions.begin(request.body());
    } catch (ApiException refused) {
      return CompletableFuture.completedFuture(
          Reply.of(
              FetchResponse.of(
                  Errors.forException(refused), 0, 0, new LinkedHashMap<>(), List.of())));
    }
    CompletableFuture<Reply> fetched;
    try {
      turn.set().recheck(services.guard().version());
      fetched = new FetchAttempt(services, request, turn).begin();
    } catch (RuntimeException | Error failure) { // a class of the user's is asked for quotas
      sessions.end(turn);
      throw failure;
    }
    return fetched.whenComplete((reply, failure) -> sessions.end(turn));
  }
}
