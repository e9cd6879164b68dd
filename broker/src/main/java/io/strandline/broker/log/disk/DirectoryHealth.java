package io.strandline.broker.log.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether a directory's disk works; the first failure is for good. Threads: any. */
public final class DirectoryHealth {
  private static final Logger LOG = LoggerFactory.getLogger(DirectoryHealth.class);

  private final Path directory;
  private final List<Runnable> listeners = new ArrayList<>();
  private volatile boolean online = true;

  public DirectoryHealth(Path directory) {
    this.directory = directory;
  }

  /** A step on the disk. */
  public interface Step<T> {
    T run() throws IOException;
  }

  /** A step on the disk that gives nothing. */
  public interface Action {
    void run() throws IOException;
  }

  public boolean online() {
    return online;
  }

  /**
   * @throws KafkaStorageException once it has failed
   */
  public void check() {
    if (!online) {
      throw new KafkaStorageException("log directory " + directory + " is offline");
    }
  }

  /** Runs the step; a failure of the disk takes the directory offline. */
  public <T> T call(String what, Step<T> step) {
    try {
      return step.run();
    } catch (IOException e) {
      throw failed(what, e);
    } catch (KafkaStorageException e) {
      if (e.getCause() instanceof IOException) {
        throw failed(what, e);
      }
      throw e;
    }
  }

  /** As {@link #call}, of a step that gives nothing. */
  public void run(String what, Action action) {
    call(
        what,
        () -> {
          action.run();
          return this;
        });
  }

  /** Takes the directory offline; the exception to be thrown. */
  public KafkaStorageException failed(String what, Exception cause) {
    List<Runnable> told = List.of();
    synchronized (listeners) {
      if (online) {
        online = false;
        told = List.copyOf(listeners);
        LOG.atError()
            .addKeyValue("path", directory)
            .addKeyValue("reason", what)
            .setCause(cause)
            .log("log directory goes offline");
      }
    }
    told.forEach(Runnable::run);
    return cause instanceof KafkaStorageException storage
        ? storage
        : new KafkaStorageException(what + " in " + directory, cause);
  }

  /** Calls back once, on the thread that met the failure; at once after it. */
  public void onFailure(Runnable listener) {
    synchronized (listeners) {
      if (online) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }
}
