package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The door before all that calls wait for: while the store is known to be away, they fail here at
 * once. Otherwise they would wait their turn behind the one call that tries a store that hangs, and
 * who reads history would not be told anything for as long.
 */
public final class GateObjectStore extends DecoratedObjectStore {
  private final CircuitObjectStore circuit;

  /**
   * @param inner through which calls reach {@code circuit}, which decides in the end
   */
  public GateObjectStore(ObjectStore inner, CircuitObjectStore circuit) {
    super(inner);
    this.circuit = circuit;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    StoreException refusal = circuit.closedTo(call.operation());
    return refusal == null ? action.get() : CompletableFuture.failedFuture(refusal);
  }

  @Override
  public Optional<StoreException> refusal(StoreCall.Operation operation) {
    return Optional.ofNullable(circuit.closedTo(operation));
  }
}
