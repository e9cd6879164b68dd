package io.strandline.broker.control.quorum;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One of Kafka's {@code listeners}.
 *
 * @param name of the listener
 * @param host without the brackets of an IPv6 address, empty for all of this machine's addresses
 * @param port 0 for a free one
 * @param text as it was written
 */
public record ListenerAddress(String name, String host, int port, String text) {

  /** The listeners that can be read; others are Kafka's to refuse, with its reasons. */
  public static List<ListenerAddress> all(String listeners) {
    List<ListenerAddress> all = new ArrayList<>();
    for (String listener : listeners.split(",")) {
      parse(listener.trim()).ifPresent(all::add);
    }
    return all;
  }

  private static Optional<ListenerAddress> parse(String text) {
    int scheme = text.indexOf("://");
    int colon = text.lastIndexOf(':');
    if (scheme < 1 || colon < scheme + 3) {
      return Optional.empty();
    }
    String host = text.substring(scheme + 3, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      return Optional.of(new ListenerAddress(text.substring(0, scheme), host, port, text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** As {@code host:port}, with the loopback address for all of this machine's. */
  public String local() {
    return (host.isEmpty() ? "127.0.0.1" : bracketed()) + ":" + port;
  }

  /** The same with another port. */
  public ListenerAddress at(int newPort) {
    return new ListenerAddress(name, host, newPort, name + "://" + bracketed() + ":" + newPort);
  }

  private String bracketed() {
    return host.contains(":") ? "[" + host + "]" : host;
  }
}
