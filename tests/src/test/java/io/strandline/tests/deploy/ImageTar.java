package io.strandline.tests.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A container image as {@code mvn package} writes it, a docker-archive, unpacked.
 *
 * @param config what the image says of itself: user, entrypoint, environment
 * @param layers files of each layer, the base's first
 * @param root all layers laid over each other
 */
record ImageTar(JsonNode config, List<List<String>> layers, Path root) {
  /** Unpacks below an empty directory. */
  static ImageTar unpack(Path tar, Path into) throws IOException, InterruptedException {
    Path parts = Files.createDirectory(into.resolve("parts"));
    Path root = Files.createDirectory(into.resolve("root"));
    must(into, List.of("tar", "-xf", tar.toString(), "-C", parts.toString()));
    ObjectMapper json = new ObjectMapper();
    JsonNode image = json.readTree(parts.resolve("manifest.json").toFile()).get(0);
    List<List<String>> layers = new ArrayList<>();
    for (JsonNode layer : image.get("Layers")) {
      String part = parts.resolve(layer.asText()).toString();
      layers.add(must(into, List.of("tar", "-tf", part)).lines().toList());
      must(into, List.of("tar", "-xpf", part, "--numeric-owner", "-C", root.toString()));
    }
    Path config = parts.resolve(image.get("Config").asText());
    return new ImageTar(json.readTree(config.toFile()), layers, root);
  }

  /** A text of the part that runs, empty when there is none. */
  String text(String name) {
    return config.get("config").path(name).asText();
  }

  /** A list of the part that runs. */
  List<String> list(String name) {
    List<String> all = new ArrayList<>();
    config.get("config").path(name).forEach(one -> all.add(one.asText()));
    return all;
  }

  Map<String, String> environment() {
    Map<String, String> all = new TreeMap<>();
    list("Env").forEach(one -> all.put(one.split("=", 2)[0], one.split("=", 2)[1]));
    return all;
  }

  private static String must(Path directory, List<String> command)
      throws IOException, InterruptedException {
    Commands.Ended ended = Commands.run(directory, command);
    if (ended.exitCode() != 0) {
      throw new IOException(command + ": " + ended.output());
    }
    return ended.output();
  }
}
