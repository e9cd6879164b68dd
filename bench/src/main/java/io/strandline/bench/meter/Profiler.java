package io.strandline.bench.meter;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * async-profiler inside a broker: which code the processor was in, as collapsed stacks.
 *
 * <p>Counts by the processor's time ({@code event=cpu}), kernel included where the machine allows
 * it. What is measured under it is a little dearer than without.
 */
public final class Profiler {
  private final Path library;
  private final long pid;

  private Profiler(Path library, long pid) {
    this.library = library;
    this.pid = pid;
  }

  /**
   * @param dir where the native library is laid; must last as long as the process
   */
  public static Profiler of(long pid, Path dir) throws IOException {
    String arch = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x64";
    String resource = String.format(Locale.ROOT, "/linux-%s/libasyncProfiler.so", arch);
    Path library = dir.toAbsolutePath().resolve("libasyncProfiler.so");
    try (InputStream in = Profiler.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IOException("no profiler for this machine: " + resource);
      }
      Files.createDirectories(dir);
      if (!Files.exists(library)) {
        Files.copy(in, library, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return new Profiler(library, pid);
  }

  public void start() throws IOException {
    command("start,event=cpu,interval=1ms,cstack=vm,threads");
  }

  /** Stops, and writes one line a stack to {@code file}: frames from the outermost, and a count. */
  public void stop(Path file) throws IOException {
    command("stop,file=" + file.toAbsolutePath() + ",collapsed,threads");
  }

  private void command(String options) throws IOException {
    try {
      VirtualMachine vm = VirtualMachine.attach(String.valueOf(pid));
      try {
        vm.loadAgentPath(library.toString(), options);
      } finally {
        vm.detach();
      }
    } catch (AttachNotSupportedException | AgentLoadException | AgentInitializationException e) {
      throw new IOException("can not profile " + pid + " with " + options, e);
    }
  }
}
