package io.strandline.bench.meter;

import com.sun.management.ThreadMXBean;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * Bytes that the threads of a JVM of this machine have allocated on its heap, asked over JMX.
 *
 * <p>Threads that ended are not counted, and neither are those that answer this meter.
 */
public final class Allocation implements AutoCloseable {
  private final JMXConnector connector;
  private final ThreadMXBean threads;

  private Allocation(JMXConnector connector, ThreadMXBean threads) {
    this.connector = connector;
    this.threads = threads;
  }

  /** Connects to a process that this one started, on the port it tells: no input of anybody's. */
  @SuppressWarnings("BanJNDI")
  public static Allocation of(long pid) throws IOException {
    JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(agent(pid)));
    ThreadMXBean threads =
        ManagementFactory.newPlatformMXBeanProxy(
            connector.getMBeanServerConnection(),
            ManagementFactory.THREAD_MXBEAN_NAME,
            ThreadMXBean.class);
    return new Allocation(connector, threads);
  }

  private static String agent(long pid) throws IOException {
    try {
      VirtualMachine vm = VirtualMachine.attach(String.valueOf(pid));
      try {
        return vm.startLocalManagementAgent();
      } finally {
        vm.detach();
      }
    } catch (AttachNotSupportedException e) {
      throw new IOException("can not attach to " + pid, e);
    }
  }

  public long bytes() {
    long[] ids = threads.getAllThreadIds();
    ThreadInfo[] infos = threads.getThreadInfo(ids);
    long[] allocated = threads.getThreadAllocatedBytes(ids);
    long sum = 0;
    for (int i = 0; i < ids.length; i++) {
      if (infos[i] != null && allocated[i] > 0 && !ours(infos[i].getThreadName())) {
        sum += allocated[i];
      }
    }
    return sum;
  }

  private static boolean ours(String thread) {
    return thread.startsWith("RMI ") || thread.startsWith("JMX ");
  }

  @Override
  public void close() throws IOException {
    connector.close();
  }
}
