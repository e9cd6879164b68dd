package io.strandline.broker.node;

import java.lang.reflect.Proxy;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals to a process that is stopping already, of which the JVM takes no notice. Its own class
 * for them is in no public package of Java's, and may be missing.
 */
public final class NextSignal {
  private static final Logger LOG = LoggerFactory.getLogger(NextSignal.class);

  private NextSignal() {}

  /** From now on SIGTERM and SIGINT do this, instead of what they did. */
  public static void then(Runnable step) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object handles =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  step.run();
                }
                return null;
              });
      for (String name : List.of("TERM", "INT")) {
        signal
            .getMethod("handle", signal, handler)
            .invoke(null, signal.getConstructor(String.class).newInstance(name), handles);
      }
    } catch (ReflectiveOperationException | IllegalArgumentException missing) {
      LOG.atDebug().setCause(missing).log("further signals are not heard");
    }
  }
}
