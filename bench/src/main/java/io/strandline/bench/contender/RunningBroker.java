package io.strandline.bench.contender;

import java.util.Map;

/** A broker that serves. Closing it stops it. */
public final class RunningBroker implements AutoCloseable {
  private final Contender contender;
  private final BrokerProcess process;
  private final Doors doors;
  private final double readySeconds;

  RunningBroker(Contender contender, BrokerProcess process, Doors doors, double readySeconds) {
    this.contender = contender;
    this.process = process;
    this.doors = doors;
    this.readySeconds = readySeconds;
  }

  public Contender contender() {
    return contender;
  }

  public String bootstrap() {
    return "127.0.0.1:" + doors.plain();
  }

  /**
   * What a client has to be set to.
   *
   * @param secured whether over TLS, where the broker was given a certificate
   */
  public Map<String, Object> client(boolean secured) {
    return doors.client(secured);
  }

  public long pid() {
    return process.pid();
  }

  /** From empty directories, formatting included, to the first answer. */
  public double readySeconds() {
    return readySeconds;
  }

  @Override
  public void close() {
    process.close();
  }
}
