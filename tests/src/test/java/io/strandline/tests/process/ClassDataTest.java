package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That processes of the tests do share class data: a JVM that cannot use it says nothing. */
class ClassDataTest {
  @Test
  void classesOfABrokerComeFromTheArchive() throws Exception {
    assumeTrue(!ClassData.ofThisBuild().options.isEmpty(), "modules are not packaged");
    List<String> command =
        Jvm.command("io.strandline.broker.Main", "-Xmx128m", "-Xlog:class+load:stdout");
    command.add("--no-such-option");
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isNotZero();
    assertThat(said)
        .contains("io.strandline.broker.Main source: shared objects file (top)")
        .doesNotContain("io.strandline.broker.BrokerConfig source: jar");
  }
}
