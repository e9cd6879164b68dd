package io.strandline.tests.fault;

import com.sun.management.UnixOperatingSystemMXBean;
import com.sun.tools.attach.VirtualMachine;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.function.ToLongFunction;
import javax.management.MBeanServerConnection;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;

/**
 * What a process holds at one moment, its garbage collected before.
 *
 * @param heapKb live objects
 * @param directKb buffers outside of the heap that the JVM knows of; all others are in the resident
 *     memory
 */
public record Footprint(long residentKb, long heapKb, long directKb, int threads, long files) {
  /** Asks the JVM of that process, a child of ours. */
  @SuppressWarnings("BanJNDI") // the address is what the child's own agent says
  public static Footprint of(long pid, long residentKb) throws Exception {
    VirtualMachine machine = VirtualMachine.attach(Long.toString(pid));
    try (JMXConnector connector =
        JMXConnectorFactory.connect(new JMXServiceURL(machine.startLocalManagementAgent()))) {
      MBeanServerConnection server = connector.getMBeanServerConnection();
      MemoryMXBean memory = ManagementFactory.getPlatformMXBean(server, MemoryMXBean.class);
      memory.gc();
      long direct =
          ManagementFactory.getPlatformMXBeans(server, BufferPoolMXBean.class).stream()
              .filter(pool -> pool.getName().equals("direct"))
              .mapToLong(BufferPoolMXBean::getMemoryUsed)
              .sum();
      return new Footprint(
          residentKb,
          memory.getHeapMemoryUsage().getUsed() >> 10,
          direct >> 10,
          ManagementFactory.getPlatformMXBean(server, ThreadMXBean.class).getThreadCount(),
          ManagementFactory.getPlatformMXBean(server, UnixOperatingSystemMXBean.class)
              .getOpenFileDescriptorCount());
    } finally {
      machine.detach();
    }
  }

  /**
   * How one figure changed over time.
   *
   * @param first,last medians of the first and of the last third
   */
  public record Trend(String name, long first, long last) {
    static Trend of(String name, List<Footprint> all, ToLongFunction<Footprint> figure) {
      int part = Math.max(1, all.size() / 3);
      return new Trend(
          name,
          median(all.subList(0, part), figure),
          median(all.subList(all.size() - part, all.size()), figure));
    }

    private static long median(List<Footprint> some, ToLongFunction<Footprint> figure) {
      return some.stream().mapToLong(figure).sorted().toArray()[some.size() / 2];
    }

    boolean grew(double factorMax, long more) {
      return last > first * factorMax + more;
    }
  }
}
