package io.strandline.bench.load;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Text that people wrote: the Java sources of Apache Kafka's client, a jar on the class path, in
 * the order of their paths and without their licence headers, cut into values.
 */
final class RealText {
  private static final String ROOT = "/org/apache/kafka/clients";

  private RealText() {}

  static Payload values(int bytes) throws IOException {
    byte[] text = text();
    List<byte[]> values = new ArrayList<>();
    for (int at = 0; at + bytes <= text.length; at += bytes) {
      values.add(java.util.Arrays.copyOfRange(text, at, at + bytes));
    }
    return new Payload(values);
  }

  private static byte[] text() throws IOException {
    URL source = RealText.class.getResource(ROOT + "/producer/KafkaProducer.java");
    if (source == null) {
      throw new IOException("the sources of kafka-clients are not on the class path");
    }
    String jar = source.toString().replaceFirst("!.*", "");
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try (FileSystem files = FileSystems.newFileSystem(URI.create(jar), Map.of());
        Stream<Path> paths = Files.walk(files.getPath(ROOT))) {
      for (Path path : paths.filter(p -> p.toString().endsWith(".java")).sorted().toList()) {
        all.write(withoutLicence(path));
      }
    }
    return all.toByteArray();
  }

  private static byte[] withoutLicence(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return text.substring(Math.max(0, text.indexOf("package "))).getBytes(StandardCharsets.UTF_8);
    }
  }
}
