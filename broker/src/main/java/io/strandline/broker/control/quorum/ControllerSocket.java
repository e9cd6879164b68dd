package io.strandline.broker.control.quorum;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.server.ServerSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * The controller's listening socket, bound before the quorum is formed: the voter set and the
 * configuration name its port, so a port chosen by the kernel must be known first. Such a port is
 * written down and used again at the next start, because the voter set remembers it; when it is
 * taken by then, a free one is: a new leader writes its own address into the voter set (KIP-853).
 */
final class ControllerSocket implements ServerSocketFactory, AutoCloseable {
  private static final int BACKLOG = 50;
  private static final String PORT_FILE = "strandline.controller.port";

  private final ServerSocketChannel channel;
  private final int port;
  private boolean handedOver;

  private ControllerSocket(ServerSocketChannel channel, int port) {
    this.channel = channel;
    this.port = port;
  }

  /**
   * Binds the socket of a controller.
   *
   * @return null for a node that is none, or whose listener is Kafka's to refuse
   * @throws ControlException when the port is taken
   */
  static @Nullable ControllerSocket bind(ControlConfig config) {
    return config
        .controllerListener()
        .map(listener -> bind(listener.host(), listener.port(), config.metadataDirectory()))
        .orElse(null);
  }

  /**
   * Binds the socket.
   *
   * @param host name or address to listen on, empty for all of this machine's
   * @param configuredPort 0 for the port of the last start, or a free one at the first
   * @param directory where a port chosen by the kernel is written down
   * @throws ControlException when the port is taken
   */
  static ControllerSocket bind(String host, int configuredPort, Path directory) {
    int wanted = configuredPort != 0 ? configuredPort : remembered(directory);
    try {
      ServerSocketChannel channel = ServerSocketChannel.open();
      channel.configureBlocking(false);
      try {
        bind(channel, host, wanted, configuredPort == 0);
      } catch (IOException e) {
        channel.close();
        throw e;
      }
      int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      if (configuredPort == 0 && port != wanted) {
        remember(directory, port);
      }
      return new ControllerSocket(channel, port);
    } catch (UnknownHostException e) {
      throw new ControlException(
          "the controller's host " + host + " can not be resolved: see the listener in listeners",
          e);
    } catch (IOException e) {
      throw new ControlException(
          "the controller's address "
              + host
              + ":"
              + wanted
              + " can not be bound ("
              + e.getMessage()
              + "): free it, or set another port for the CONTROLLER listener in listeners",
          e);
    }
  }

  /** Binds, to a free port when the one of the last start is taken and none was configured. */
  private static void bind(ServerSocketChannel channel, String host, int port, boolean orFree)
      throws IOException {
    try {
      channel.bind(address(host, port), BACKLOG);
    } catch (BindException e) {
      if (!orFree || port == 0) {
        throw e;
      }
      channel.bind(address(host, 0), BACKLOG);
    }
  }

  /** The channel would throw an exception without a message. */
  private static InetSocketAddress address(String host, int port) throws UnknownHostException {
    InetSocketAddress address =
        host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new UnknownHostException(host);
    }
    return address;
  }

  private static int remembered(Path directory) {
    Path file = directory.resolve(PORT_FILE);
    try {
      return Files.exists(file) ? Integer.parseInt(Files.readString(file).trim()) : 0;
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  private static void remember(Path directory, int port) throws IOException {
    Files.createDirectories(directory);
    Files.write(
        directory.resolve(PORT_FILE), Integer.toString(port).getBytes(StandardCharsets.US_ASCII));
  }

  int port() {
    return port;
  }

  @Override
  public synchronized ServerSocketChannel openServerSocket(
      @Nullable String listenerName, InetSocketAddress address, int backlog, int receiveBufferBytes)
      throws IOException {
    if (!handedOver && address.getPort() == port) {
      handedOver = true;
      return channel;
    }
    return ServerSocketFactory.INSTANCE.openServerSocket(
        listenerName, address, backlog, receiveBufferBytes);
  }

  /** Closes the socket unless the controller has it. */
  @Override
  public synchronized void close() {
    if (!handedOver) {
      try {
        channel.close();
      } catch (IOException e) {
        // Nothing was accepted on it; the process may go on without it.
        handedOver = true;
      }
    }
  }
}
