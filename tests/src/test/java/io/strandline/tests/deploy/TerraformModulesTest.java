package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code terraform fmt}, {@code validate} and {@code test} of every module and example, with
 * stand-ins for providers ({@code tests/deploy/tf-offline.mjs}; its head says what they cannot
 * check).
 */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
class TerraformModulesTest {
  private static final Path SOURCES = Distribution.ROOT.resolve("deploy/terraform");
  private static final Path TOOL = Distribution.ROOT.resolve("tests/deploy/tf-offline.mjs");

  /** Bindings of providers, fetched once for a checkout. */
  private static final Path FETCHED = Distribution.ROOT.resolve("tests/target/tf-offline");

  @Test
  void everyModuleAndExampleIsSound() throws Exception {
    Terraform.require();
    Terraform.require(Commands.exists("node"), "no node on the PATH");
    Terraform.require(Commands.exists("npm"), "no npm on the PATH");
    Terraform.require(
        Files.isDirectory(FETCHED.resolve("bindings"))
            || Commands.run(Path.of("/"), List.of("npm", "ping")).exitCode() == 0,
        "npm's registry cannot be reached, and the providers' bindings were not fetched before");
    List<String> command =
        new ArrayList<>(
            List.of("node", TOOL.toString(), "check", FETCHED.toString(), SOURCES.toString()));
    List<String> parts = parts();
    command.addAll(parts);
    Commands.Ended checked = Commands.run(Distribution.ROOT, command);
    assertThat(checked.exitCode()).as(checked.output()).isZero();
    for (String part : parts) {
      assertThat(checked.output()).contains(part + ": terraform validate: ok");
    }
    for (String part : parts) {
      if (part.startsWith("modules/")) {
        assertThat(checked.output()).contains(part + ": terraform test: ok");
        assertThat(SOURCES.resolve(part).resolve("README.md")).exists();
      }
    }
  }

  /** What a broker that drains stands on goes after it: a way to the others and to the bucket. */
  @Test
  void nothingThatNodesStandOnGoesBeforeThem() throws Exception {
    Path module = SOURCES.resolve("modules/aws");
    String network = Files.readString(module.resolve("network.tf"));
    String ground =
        Pattern.compile("\"terraform_data\" \"ground\" \\{(.*?)\n}", Pattern.DOTALL)
            .matcher(network)
            .results()
            .map(found -> found.group(1))
            .findFirst()
            .orElseThrow();
    List<String> ways =
        Pattern.compile(
                "resource \"(aws_route_table_association|aws_vpc_endpoint|aws_vpc_security_group_\\w+_rule)\" \"(\\w+)\"")
            .matcher(network)
            .results()
            .map(found -> found.group(1) + "." + found.group(2))
            .toList();
    assertThat(ways).hasSizeGreaterThan(7).allSatisfy(way -> assertThat(ground).contains(way));
    assertThat(ground).contains("aws_iam_role_policy.node", "aws_s3_bucket_policy.history");
    for (String file : List.of("brokers.tf", "replay.tf", "controllers.tf")) {
      assertThat(Files.readString(module.resolve(file)))
          .containsPattern("depends_on += \\[terraform_data.ground");
    }
  }

  /** The labels that dashboards and alerts want, from the tag that the module puts on nodes. */
  @Test
  void prometheusFindsNodesByTheirTag(@TempDir Path dir) throws Exception {
    Path module = SOURCES.resolve("modules/aws");
    String scrape = Files.readString(module.resolve("prometheus.yaml"));
    assertThat(Files.readString(module.resolve("main.tf")))
        .contains("{ StrandlineCluster = var.name }");
    assertThat(scrape)
        .contains("job_name: strandline\n", "values: [StrandlineCluster]\n")
        .contains("[__meta_ec2_tag_StrandlineCluster]\n        target_label: cluster\n")
        .contains("port: 9644\n");
    String promtool = System.getenv().getOrDefault("PROMTOOL", "promtool");
    assumeTrue(
        Commands.exists(promtool), "SKIPPED: no promtool on the PATH, nor named by PROMTOOL");
    Path config = Files.writeString(dir.resolve("prometheus.yml"), scrape);
    Files.copy(
        Distribution.ROOT.resolve("deploy/observability/prometheus/alerts.yaml"),
        dir.resolve("alerts.yaml"));
    Commands.Ended checked =
        Commands.run(dir, List.of(promtool, "check", "config", config.toString()));
    assertThat(checked.exitCode()).as(checked.output()).isZero();
  }

  @Test
  void whoeverStopsANodeGivesItTheTimeThatTheUnitDoes() throws Exception {
    assertThat(Files.readString(Distribution.ROOT.resolve("etc/strandline.service")))
        .contains("TimeoutStopSec=390\n");
    assertThat(Files.readString(SOURCES.resolve("modules/local/node.sh")))
        .contains("STOP_SECONDS=${STOP_SECONDS:-390}\n");
  }

  @Test
  void scriptsAreScripts() throws Exception {
    List<Path> scripts = new ArrayList<>();
    try (Stream<Path> all = Files.walk(SOURCES)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        if (!file.toString().contains("/.terraform") && Files.readString(file).startsWith("#!")) {
          scripts.add(file);
        }
      }
    }
    assertThat(scripts).hasSizeGreaterThanOrEqualTo(2);
    for (Path script : scripts) {
      Commands.Ended checked = Commands.run(SOURCES, List.of("bash", "-n", script.toString()));
      assertThat(checked.exitCode()).as(checked.output()).isZero();
    }
  }

  private static List<String> parts() throws Exception {
    List<String> parts = new ArrayList<>();
    for (String kind : List.of("modules", "examples")) {
      try (Stream<Path> all = Files.list(SOURCES.resolve(kind))) {
        all.map(part -> kind + "/" + part.getFileName()).sorted().forEach(parts::add);
      }
    }
    return parts;
  }
}
