package io.strandline.tiering.store;

import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * A store in memory that fails as a script says, and that can be told to answer only when asked to.
 */
public final class ScriptedStore extends DecoratedObjectStore {
  private final Deque<StoreException> script = new ArrayDeque<>();
  private final List<CompletableFuture<?>> held = new ArrayList<>();
  private final List<Runnable> answers = new ArrayList<>();
  private boolean hold;

  /** What was asked, in order. */
  public final List<StoreCall> calls = new ArrayList<>();

  public ScriptedStore() {
    super(new MemoryObjectStore(Runnable::run, InstantSource.system()));
  }

  /** The next calls fail with these. */
  public ScriptedStore failing(StoreException... failures) {
    script.addAll(List.of(failures));
    return this;
  }

  public ScriptedStore holding() {
    hold = true;
    return this;
  }

  public void releasing() {
    hold = false;
  }

  /** Answers the oldest call that is held. */
  public void answerOne() {
    answers.remove(0).run();
  }

  public List<CompletableFuture<?>> held() {
    return held;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    calls.add(call);
    StoreException failure = script.poll();
    if (failure != null) {
      return CompletableFuture.failedFuture(failure);
    }
    if (!hold) {
      return action.get();
    }
    CompletableFuture<T> answer = new CompletableFuture<>();
    held.add(answer);
    answers.add(() -> link(action.get(), answer));
    return answer;
  }
}
