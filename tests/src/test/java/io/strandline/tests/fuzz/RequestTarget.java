package io.strandline.tests.fuzz;

import io.strandline.broker.request.Request;
import io.strandline.broker.socket.SocketUnderFuzz;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.errors.InvalidRequestException;

/** Header and body of requests, of every API in every version. */
final class RequestTarget implements FuzzTarget {
  private final SocketUnderFuzz socket;

  RequestTarget(SocketUnderFuzz socket) {
    this.socket = socket;
  }

  @Override
  public String name() {
    return "request";
  }

  @Override
  public byte[] input(Random chance) {
    byte[] request = RandomRequests.any(chance);
    return chance.nextInt(3) == 0 ? Mutations.some(request, chance) : request;
  }

  @Override
  public void decode(byte[] input) {
    Request<?> request = socket.parse(ByteBuffer.wrap(input));
    socket.fail(request).toCompletableFuture().join();
  }

  /** As a connection does; Kafka wraps even errors, and one of those is no answer. */
  @Override
  public boolean promises(Throwable failure) {
    return (failure instanceof InvalidRequestException
            || failure instanceof IllegalArgumentException)
        && !(failure.getCause() instanceof Error);
  }

  @Override
  public Allowance allowance() {
    return new Allowance(64, 1 << 20);
  }
}
