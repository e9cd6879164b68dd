package io.strandline.tiering.store.memory;

import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ObjectStoreContract;
import java.time.InstantSource;

class MemoryObjectStoreTest extends ObjectStoreContract {
  private final MemoryObjectStore store =
      new MemoryObjectStore(Runnable::run, InstantSource.system());

  @Override
  protected ObjectStore store() {
    return store;
  }
}
