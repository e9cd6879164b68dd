package io.strandline.bench;

import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.meter.Profiler;
import io.strandline.bench.meter.StackTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Profiles of brokers while they are measured, if they are wanted.
 *
 * @param to where stacks and tables go; none for no profiles
 * @param library where the profiler's library is laid
 */
record Profiles(Optional<Path> to, Path library) {
  void begin(RunningBroker broker) throws IOException {
    if (to.isPresent()) {
      Profiler.of(broker.pid(), library).start();
    }
  }

  void end(RunningBroker broker, String workload) throws IOException {
    if (to.isPresent()) {
      Files.createDirectories(to.get());
      String name = (workload + "-" + broker.contender().name()).replaceAll("[ /]", "-");
      Path stacks = to.get().resolve(name + ".collapsed");
      Profiler.of(broker.pid(), library).stop(stacks);
      Files.writeString(to.get().resolve(name + ".md"), StackTable.read(stacks).render());
    }
  }
}
