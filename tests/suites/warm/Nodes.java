import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;

/**
 * Nodes of Apache Kafka in one JVM that stays warm, as Kafka's own tests run them: most of what a case costs on two cores is the
 * start of its brokers. Each connection is one process as a launcher sees it. It sends a line, {@code format} or {@code run} and
 * the arguments of Kafka's main class, parted by tabs, is told what the process would print, and last {@code exit N}. A node runs
 * until the line {@code stop} or the end of the connection. What cannot be had so is a node that is killed: at best it is stopped
 * in order, and is gone with the JVM.
 */
final class Nodes {
  /** A controller of its own goes last: brokers hand over what they lead before they are gone. */
  private static final long BROKERS_FIRST_SECONDS = 10;

  /** Properties file to what tells that the node is down. */
  private static final ConcurrentMap<Path, CountDownLatch> RUNNING = new ConcurrentHashMap<>();

  public static void main(String[] args) throws IOException {
    Exit.Procedure stays =
        (code, message) -> {
          throw new IllegalStateException("a node would have ended, " + code + ": " + message);
        };
    Exit.setExitProcedure(stays);
    Exit.setHaltProcedure(stays);
    try (ServerSocket server = new ServerSocket(0, 64, InetAddress.getLoopbackAddress())) {
      Path port = Path.of(args[0]);
      Path draft = port.resolveSibling(port.getFileName() + ".new");
      Files.writeString(draft, server.getLocalPort() + "\n");
      Files.move(draft, port);
      while (true) {
        Socket process = server.accept();
        Thread thread = new Thread(() -> serve(process), "process");
        thread.setDaemon(true);
        thread.start();
      }
    }
  }

  private static void serve(Socket socket) {
    try (socket;
        BufferedReader in =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(quiet(socket.getOutputStream()), true)) {
      String[] line = in.readLine().split("\t", -1);
      String[] arguments = Arrays.copyOfRange(line, 1, line.length);
      int code = line[0].equals("format") ? StorageTool.execute(arguments, out) : run(arguments, in, out);
      out.println("exit " + code);
    } catch (IOException gone) {
      // so is its process
    }
  }

  private static int run(String[] arguments, BufferedReader in, PrintStream out) throws IOException {
    Path file = Path.of(arguments[0]);
    CountDownLatch down = new CountDownLatch(1);
    KafkaRaftServer node = null;
    try {
      Properties properties = Utils.loadProps(file.toString());
      node = new KafkaRaftServer(KafkaConfig.fromProps(properties, false), Time.SYSTEM);
      RUNNING.put(file, down);
      node.startup();
      out.println("Kafka Server started");
      awaitStop(in);
      if ("controller".equals(properties.getProperty("process.roles"))) {
        awaitBrokersOf(file);
      }
      return 0;
    } catch (Exception | Error failed) {
      out.println("ERROR " + failed);
      failed.printStackTrace(out);
      return 1;
    } finally {
      try {
        if (node != null) {
          node.shutdown();
        }
      } catch (Exception | Error failed) {
        failed.printStackTrace(out);
      }
      down.countDown();
      RUNNING.remove(file, down);
    }
  }

  private static void awaitStop(BufferedReader in) {
    try {
      in.readLine();
    } catch (IOException killed) {
      // which is a stop as well
    }
  }

  private static void awaitBrokersOf(Path controller) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(BROKERS_FIRST_SECONDS);
    for (var other : RUNNING.entrySet()) {
      if (other.getKey().getParent().equals(controller.getParent()) && !other.getKey().equals(controller)) {
        other.getValue().await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
    }
  }

  /** Nobody may be listening any more, which is no reason not to end in an orderly way. */
  private static OutputStream quiet(OutputStream out) {
    return new OutputStream() {
      @Override
      public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) {
        try {
          out.write(bytes, offset, length);
        } catch (IOException gone) {
          // see above
        }
      }
    };
  }
}
