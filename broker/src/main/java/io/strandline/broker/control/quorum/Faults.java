package io.strandline.broker.control.quorum;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import kafka.server.FaultHandlerFactory;
import org.apache.kafka.server.fault.FaultHandler;
import org.apache.kafka.server.fault.FaultHandlerException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where faults of Kafka's controller, raft client and metadata loader end. Kafka's own handlers
 * halt the process; these log the fault and, when it is fatal, ask the node once to stop in order:
 * the data plane still closes its files.
 */
public final class Faults implements FaultHandlerFactory {
  private static final Logger LOG = LoggerFactory.getLogger(Faults.class);

  private final AtomicBoolean fatal = new AtomicBoolean();
  private final AtomicReference<@Nullable Runnable> stop = new AtomicReference<>();

  /** Sets what to run after a fatal fault; runs it at once when one was seen already. */
  public void onFatal(Runnable action) {
    stop.set(action);
    if (fatal.get()) {
      runStop();
    }
  }

  /** Whether a fatal fault was seen. */
  public boolean fatalSeen() {
    return fatal.get();
  }

  /** Records a fatal fault and asks the node to stop. */
  public void fatal(String reason, @Nullable Throwable cause) {
    LOG.atError().addKeyValue("reason", reason).setCause(cause).log("fatal fault, stopping");
    if (fatal.compareAndSet(false, true)) {
      runStop();
    }
  }

  private void runStop() {
    Runnable action = stop.getAndSet(null);
    if (action != null) {
      action.run();
    }
  }

  @Override
  public FaultHandler build(String name, boolean isFatal, Runnable action) {
    return (message, cause) -> {
      action.run();
      String reason = name + ": " + message;
      if (isFatal) {
        fatal(reason, cause);
      } else {
        LOG.atError().addKeyValue("reason", reason).setCause(cause).log("fault, going on");
      }
      return new FaultHandlerException(reason, cause);
    };
  }
}
