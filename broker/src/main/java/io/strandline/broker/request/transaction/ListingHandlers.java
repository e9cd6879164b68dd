package io.strandline.broker.request.transaction;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.TransactionCoordinator;
import io.strandline.broker.transaction.state.Transaction;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TopicData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TransactionState;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeTransactionsRequest;
import org.apache.kafka.common.requests.DescribeTransactionsResponse;
import org.apache.kafka.common.requests.ListTransactionsRequest;
import org.apache.kafka.common.requests.ListTransactionsResponse;
import org.apache.kafka.common.requests.RequestContext;

/** DescribeTransactions and ListTransactions (KIP-664, KIP-994, KIP-1152). */
final class ListingHandlers {
  private final TransactionCoordinator coordinator;
  private final Guard guard;
  private final InstantSource clock;

  ListingHandlers(TransactionCoordinator coordinator, Guard guard, InstantSource clock) {
    this.coordinator = coordinator;
    this.guard = guard;
    this.clock = clock;
  }

  void addTo(ApiTable.Builder table) {
    table
        .add(ApiKeys.DESCRIBE_TRANSACTIONS, (Handler<DescribeTransactionsRequest>) this::describe)
        .add(ApiKeys.LIST_TRANSACTIONS, (Handler<ListTransactionsRequest>) this::list);
  }

  // ---- describe

  private CompletionStage<Reply> describe(Request<DescribeTransactionsRequest> request) {
    List<CompletableFuture<TransactionState>> states =
        request.body().data().transactionalIds().stream()
            .map(id -> describe(request.context(), id))
            .toList();
    return CompletableFuture.allOf(states.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            all ->
                Reply.of(
                    new DescribeTransactionsResponse(
                        new DescribeTransactionsResponseData()
                            .setTransactionStates(
                                states.stream().map(CompletableFuture::join).toList()))));
  }

  private CompletableFuture<TransactionState> describe(RequestContext who, String id) {
    if (!mayDescribe(who, id)) {
      return failed(id, Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if (id.isEmpty()) {
      return failed(id, Errors.INVALID_REQUEST);
    }
    return coordinator
        .describe(id)
        .handle(
            (found, failure) -> {
              TransactionState state = new TransactionState().setTransactionalId(id);
              if (failure != null) {
                return state.setErrorCode(Dispatcher.error(failure).code());
              }
              return found.isEmpty()
                  ? state.setErrorCode(Errors.TRANSACTIONAL_ID_NOT_FOUND.code())
                  : filled(state, found.get(), who);
            });
  }

  private static CompletableFuture<TransactionState> failed(String id, Errors error) {
    return CompletableFuture.completedFuture(
        new TransactionState().setTransactionalId(id).setErrorCode(error.code()));
  }

  private TransactionState filled(TransactionState state, Transaction found, RequestContext who) {
    for (TopicPartition tp : found.partitions()) {
      if (guard.allowsTopic(who, AclOperation.DESCRIBE, tp.topic())) {
        TopicData topic = state.topics().find(tp.topic());
        if (topic == null) {
          topic = new TopicData().setTopic(tp.topic());
          state.topics().add(topic);
        }
        topic.partitions().add(tp.partition());
      }
    }
    return state
        .setProducerId(found.producer().id())
        .setProducerEpoch(found.producer().epoch())
        .setTransactionState(found.state().stateName())
        .setTransactionTimeoutMs(found.timing().timeoutMs())
        .setTransactionStartTimeMs(found.timing().startMs());
  }

  // ---- list

  private CompletionStage<Reply> list(Request<ListTransactionsRequest> request) {
    TransactionFilter filter = TransactionFilter.of(request.body().data(), clock.millis());
    ListTransactionsResponseData answer =
        new ListTransactionsResponseData().setUnknownStateFilters(filter.unknownStates());
    List<CompletableFuture<Map<String, Transaction>>> led = coordinator.list(filter::takes);
    return CompletableFuture.allOf(led.toArray(CompletableFuture<?>[]::new))
        .handle(
            (all, failure) -> {
              gather(request.context(), filter, led, answer);
              return Reply.of(new ListTransactionsResponse(answer));
            });
  }

  private void gather(
      RequestContext who,
      TransactionFilter filter,
      List<CompletableFuture<Map<String, Transaction>>> led,
      ListTransactionsResponseData answer) {
    List<ListTransactionsResponseData.TransactionState> states = new ArrayList<>();
    for (CompletableFuture<Map<String, Transaction>> partition : led) {
      Errors error =
          partition
              .handle((found, failure) -> failure == null ? Errors.NONE : Dispatcher.error(failure))
              .join();
      if (error == Errors.COORDINATOR_LOAD_IN_PROGRESS) {
        answer.setErrorCode(error.code());
        return;
      }
      if (error != Errors.NONE) {
        continue; // led elsewhere by now
      }
      partition
          .join()
          .forEach(
              (id, found) -> {
                if (mayDescribe(who, id) && filter.takes(id)) {
                  states.add(
                      new ListTransactionsResponseData.TransactionState()
                          .setTransactionalId(id)
                          .setProducerId(found.producer().id())
                          .setTransactionState(found.state().stateName()));
                }
              });
    }
    answer.setTransactionStates(states);
  }

  private boolean mayDescribe(RequestContext who, String id) {
    return guard.allowsTransaction(who, AclOperation.DESCRIBE, id);
  }
}
