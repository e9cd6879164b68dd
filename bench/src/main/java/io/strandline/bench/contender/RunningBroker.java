package io.strandline.bench.contender;

/** A broker that serves. Closing it stops it. */
public final class RunningBroker implements AutoCloseable {
  private final Contender contender;
  private final BrokerProcess process;
  private final int port;
  private final double readySeconds;

  RunningBroker(Contender contender, BrokerProcess process, int port, double readySeconds) {
    this.contender = contender;
    this.process = process;
    this.port = port;
    this.readySeconds = readySeconds;
  }

  public Contender contender() {
    return contender;
  }

  public String bootstrap() {
    return "127.0.0.1:" + port;
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
