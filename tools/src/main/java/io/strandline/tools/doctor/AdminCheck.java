package io.strandline.tools.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What nodes say of themselves at their admin listeners: health, clock, version of the software.
 */
final class AdminCheck implements Check {
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final String BUILD = "strandline_version{";

  private final List<String> addresses;
  private final InstantSource clock;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

  /**
   * @param addresses {@code host:port}
   */
  AdminCheck(List<String> addresses, InstantSource clock) {
    this.addresses = addresses;
    this.clock = clock;
  }

  @Override
  public List<Finding> run() throws InterruptedException {
    List<Finding> findings = new ArrayList<>();
    Map<String, List<String>> versions = new TreeMap<>();
    for (String address : addresses) {
      try {
        Instant before = clock.instant();
        HttpResponse<String> life = get(address, "/healthz");
        Instant after = clock.instant();
        findings.add(health("health " + address, life));
        findings.add(health("readiness " + address, get(address, "/readyz")));
        clock(address, life, before, after).ifPresent(findings::add);
        String version = version(get(address, "/metrics").body());
        versions.computeIfAbsent(version, unused -> new ArrayList<>()).add(address);
      } catch (IOException | IllegalArgumentException e) {
        findings.add(
            Finding.fail(
                "health " + address,
                "no answer: " + e,
                "Does the node run (systemctl status strandline, its log), and is this its"
                    + " strandline.admin.listener?"));
      }
    }
    if (!versions.isEmpty()) {
      findings.add(
          versions.size() == 1
              ? Finding.ok("versions software", "all run " + versions.keySet())
              : Finding.warn(
                  "versions software",
                  "mixed: " + versions,
                  "Right while an upgrade is under way; finish it."));
    }
    return findings;
  }

  private HttpResponse<String> get(String address, String path)
      throws IOException, InterruptedException {
    URI uri = URI.create("http://" + address + path);
    return http.send(
        HttpRequest.newBuilder(uri).timeout(PATIENCE).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static Finding health(String check, HttpResponse<String> answer) throws IOException {
    if (answer.statusCode() == 200) {
      return Finding.ok(check, "well");
    }
    StringBuilder failing = new StringBuilder();
    JsonNode checks = new ObjectMapper().readTree(answer.body()).path("checks");
    checks
        .properties()
        .forEach(
            entry -> {
              if (!entry.getValue().path("ok").asBoolean()) {
                failing.append(' ').append(entry.getKey());
                failing.append(": ").append(entry.getValue().path("detail").asText()).append(';');
              }
            });
    return Finding.fail(
        check, answer.statusCode() + failing.toString(), "Its log says since when, and why.");
  }

  private static Optional<Finding> clock(
      String address, HttpResponse<String> answer, Instant before, Instant after) {
    try {
      return answer
          .headers()
          .firstValue("Date")
          .map(text -> ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant())
          .map(theirs -> Clocks.compare("clock " + address, address, theirs, before, after));
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static String version(String metrics) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(BUILD))
        .map(line -> line.substring(BUILD.length(), line.indexOf('}')))
        .findFirst()
        .orElse("an unknown version");
  }
}
