package io.strandline.tests.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tools.doctor.Checkup;
import io.strandline.tools.doctor.Finding;
import io.strandline.tools.doctor.NodeConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What the doctor said.
 *
 * @param verdict of all together
 * @param all of it, as it was printed
 */
record Said(int exitCode, String verdict, Map<String, Finding> findings, String all) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of a process that ran with {@code --json}. */
  static Said of(ToolProcess.Ended ended) throws IOException {
    Map<String, Finding> findings = new LinkedHashMap<>();
    String verdict = "none";
    for (String line : ended.out()) {
      JsonNode row = JSON.readTree(line);
      if (row.has("check")) {
        Finding finding = JSON.treeToValue(row, Finding.class);
        findings.put(finding.check(), finding);
      } else {
        verdict = row.path("verdict").asText();
      }
    }
    return new Said(ended.exitCode(), verdict, findings, ended.out() + ended.err());
  }

  /** Of a node's configuration, in this process. */
  static Said here(Path config) throws IOException {
    List<Finding> said =
        new Checkup(Path.of("/")).node(NodeConfig.load(Optional.of(config), Map.of()), List.of());
    Map<String, Finding> findings = new LinkedHashMap<>();
    said.forEach(finding -> findings.put(finding.check(), finding));
    String worst = Finding.worst(said).name();
    return new Said(Finding.worst(said).exitCode(), worst, findings, said.toString());
  }

  String verdict(String check) {
    return finding(check).verdict().name();
  }

  /** With the advice. */
  String found(String check) {
    return finding(check).found() + " " + finding(check).advice();
  }

  private Finding finding(String check) {
    assertThat(findings).as(all).containsKey(check);
    return Objects.requireNonNull(findings.get(check));
  }
}
