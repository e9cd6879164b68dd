package io.strandline.bench.meter;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a process has used so far, as the kernel counts it (Linux, proc(5)).
 *
 * @param cpuSeconds user and system time of all its threads, ended ones included, in steps of 10 ms
 * @param residentBytes {@code VmRSS}
 */
public record ProcessUse(double cpuSeconds, long residentBytes) {
  /** {@code USER_HZ}, which is 100 on every Linux that runs Java. */
  private static final double TICKS_PER_SECOND = 100;

  /** Place of {@code utime} among the fields after the command's closing bracket. */
  private static final int USER_TIME = 11;

  public static ProcessUse of(long pid) throws IOException {
    Path proc = Path.of("/proc", String.valueOf(pid));
    return new ProcessUse(cpuSeconds(proc), residentBytes(proc));
  }

  private static double cpuSeconds(Path proc) throws IOException {
    String stat = Files.readString(proc.resolve("stat"));
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    long ticks = Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[USER_TIME + 1]);
    return ticks / TICKS_PER_SECOND;
  }

  private static long residentBytes(Path proc) throws IOException {
    for (String line : Files.readAllLines(proc.resolve("status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
      }
    }
    throw new IOException("no VmRSS in " + proc);
  }
}
