package io.strandline.tests.cost;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.s3.S3Config;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** Counts what a store is asked, as S3 would bill it: each part of a long put is a request. */
final class PaidRequests extends DecoratedObjectStore {
  private final Map<Operation, Integer> counts = new EnumMap<>(Operation.class);

  PaidRequests(ObjectStore inner) {
    super(inner);
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    int requests =
        call.operation() == Operation.PUT
            ? S3Config.Multipart.defaults().requests(call.bytes())
            : 1;
    synchronized (counts) {
      counts.merge(call.operation(), requests, Integer::sum);
    }
    return action.get();
  }

  int puts() {
    return count(Operation.PUT) + count(Operation.PUT_IF_ABSENT) + count(Operation.REPLACE);
  }

  int count(Operation operation) {
    synchronized (counts) {
      return counts.getOrDefault(operation, 0);
    }
  }

  void forget() {
    synchronized (counts) {
      counts.clear();
    }
  }

  @Override
  public String toString() {
    synchronized (counts) {
      return counts.toString();
    }
  }
}
