package io.strandline.tests.cluster;

import com.sun.tools.attach.VirtualMachine;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/** The MBeans of a node that runs, as a monitor that attaches to the process sees them. */
final class Beans implements AutoCloseable {
  private final JMXConnector connector;
  private final MBeanServerConnection server;

  private Beans(JMXConnector connector) throws IOException {
    this.connector = connector;
    this.server = connector.getMBeanServerConnection();
  }

  /** Until the node's end, or until this is closed. */
  @SuppressWarnings("BanJNDI") // the other end is a process of this test
  static Beans of(BrokerProcess node) throws Exception {
    VirtualMachine machine = VirtualMachine.attach(Long.toString(node.pid()));
    try {
      return new Beans(
          JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent())));
    } finally {
      machine.detach();
    }
  }

  /** What a rate has counted. */
  long count(String name) throws Exception {
    return (long) attribute(name, "Count");
  }

  /** What a gauge tells. */
  long value(String name) throws Exception {
    return ((Number) attribute(name, "Value")).longValue();
  }

  Object attribute(String name, String attribute) throws Exception {
    return server.getAttribute(new ObjectName(name), attribute);
  }

  @Override
  public void close() throws IOException {
    connector.close();
  }
}
