package io.strandline.broker.replica;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** {@link InSync} as the quorum has it. */
public record ControlledInSync(ControlPlane control) implements InSync {
  @Override
  public OptionalLong eligible(int broker) {
    ClusterView view = control.view();
    return view.fenced(broker) || view.shuttingDown(broker)
        ? OptionalLong.empty()
        : view.brokerEpoch(broker);
  }

  @Override
  public boolean alive(int broker) {
    return control.view().brokerEpoch(broker).isPresent();
  }

  @Override
  public long brokerEpoch() {
    return control.brokerEpoch();
  }

  @Override
  public boolean mayFollow(PartitionState state) {
    ClusterView view = control.view();
    return !view.tieredByKafka(state.id().topic()) || view.ours(state.leader());
  }

  @Override
  public CompletableFuture<IsrChange.Answer> change(IsrChange change) {
    return control.changeIsr(change);
  }
}
