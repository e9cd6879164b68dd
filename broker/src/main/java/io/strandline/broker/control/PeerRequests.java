package io.strandline.broker.control;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.BrokerNotAvailableException;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.server.util.InterBrokerSendThread;
import org.apache.kafka.server.util.RequestAndCompletionHandler;
import org.jspecify.annotations.Nullable;

/**
 * Requests of one purpose to other brokers: one connection to each, on which one request is under
 * way at a time, and one thread for all of them, which begins with the first request. A node that
 * is alone never has it.
 *
 * <p>A purpose of its own for whatever may be answered late: a connection is answered in order.
 *
 * <p>Threads: any may {@link #send}; what follows a future must not block.
 */
public final class PeerRequests implements AutoCloseable {
  private final Peers peers;
  private final String purpose;
  private final ConcurrentLinkedQueue<RequestAndCompletionHandler> asked =
      new ConcurrentLinkedQueue<>();
  private final Map<Long, CompletableFuture<AbstractResponse>> unanswered =
      new ConcurrentHashMap<>();
  private final AtomicLong number = new AtomicLong();
  private @Nullable Sender sender; // guarded by this
  private boolean closed;

  PeerRequests(Peers peers, String purpose) {
    this.peers = peers;
    this.purpose = purpose;
  }

  /**
   * Sends a request once. Fails with BrokerNotAvailableException when the broker is fenced or
   * unknown, with DisconnectException when it may or may not have heard it (a lost connection,
   * {@code request.timeout.ms} over), with UnsupportedVersionException when it does not know it,
   * and with an AuthenticationException.
   */
  public CompletableFuture<AbstractResponse> send(
      int broker, AbstractRequest.Builder<? extends AbstractRequest> request) {
    CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();
    Optional<Node> node = peers.node(broker);
    if (node.isEmpty()) {
      answer.completeExceptionally(
          new BrokerNotAvailableException("broker " + broker + " is not there"));
      return answer;
    }
    long mine = number.getAndIncrement();
    unanswered.put(mine, answer);
    var unused = answer.whenComplete((done, failure) -> unanswered.remove(mine));
    try {
      Sender running = running();
      asked.add(
          new RequestAndCompletionHandler(
              peers.time().milliseconds(), node.get(), request, response -> end(answer, response)));
      running.wakeup();
    } catch (RuntimeException failure) {
      answer.completeExceptionally(failure);
    }
    return answer;
  }

  private static void end(CompletableFuture<AbstractResponse> answer, ClientResponse response) {
    if (response.authenticationException() != null) {
      answer.completeExceptionally(response.authenticationException());
    } else if (response.versionMismatch() != null) {
      answer.completeExceptionally(response.versionMismatch());
    } else if (response.hasResponse()) {
      answer.complete(response.responseBody());
    } else {
      answer.completeExceptionally(
          new DisconnectException("broker " + response.destination() + " did not answer"));
    }
  }

  private synchronized Sender running() {
    if (closed) {
      throw new DisconnectException("this broker is stopping");
    }
    if (sender == null) {
      sender = new Sender();
      sender.setDaemon(true);
      sender.start();
    }
    return sender;
  }

  /** Fails what is not answered. */
  @Override
  public void close() {
    Sender running;
    synchronized (this) {
      closed = true;
      running = sender;
    }
    if (running != null) {
      try {
        running.shutdown();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    List.copyOf(unanswered.values())
        .forEach(
            answer ->
                answer.completeExceptionally(new DisconnectException("this broker is stopping")));
  }

  private final class Sender extends InterBrokerSendThread {
    Sender() {
      // Not to be interrupted: what follows an answer may append to a log, whose file would be
      // closed under all who use it. The client is woken up at the end.
      super(purpose, peers.client(purpose), peers.requestTimeoutMs(), peers.time(), false);
    }

    @Override
    public Collection<RequestAndCompletionHandler> generateRequests() {
      List<RequestAndCompletionHandler> now = new ArrayList<>();
      for (RequestAndCompletionHandler next = asked.poll(); next != null; next = asked.poll()) {
        now.add(next);
      }
      return now;
    }
  }
}
