package io.strandline.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lines in, records out. */
@Command(
    name = "produce",
    description = "Produce one record a line from standard input or a file.",
    mixinStandardHelpOptions = true)
final class ProduceCommand implements Callable<Integer> {
  /** Codecs of Kafka's record format. */
  enum Codec {
    NONE,
    GZIP,
    SNAPPY,
    LZ4,
    ZSTD
  }

  @Mixin private Connection connection = new Connection();
  @Mixin private Printer printer = new Printer();

  @Parameters(index = "0", paramLabel = "TOPIC", description = "Where to.")
  private String topic = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "FILE",
      description = "What; else standard input.")
  private @Nullable Path file;

  @Option(
      names = {"-k", "--key-separator"},
      paramLabel = "TEXT",
      description = "What stands before its first occurrence in a line is the key.")
  private @Nullable String keySeparator;

  @Option(
      names = {"-H", "--header"},
      paramLabel = "NAME=VALUE",
      description = "A header of every record; repeatable.")
  private List<String> headers = new ArrayList<>();

  @Option(
      names = {"-p", "--partition"},
      description = "The partition; else by key.")
  private @Nullable Integer partition;

  @Option(
      names = {"-z", "--codec"},
      defaultValue = "NONE",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Codec codec = Codec.NONE;

  @Option(
      names = {"-a", "--acks"},
      defaultValue = "all",
      description = "0, 1 or all (default: ${DEFAULT-VALUE}).")
  private String acks = "all";

  @Override
  public Integer call() throws IOException {
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    long count = 0;
    try (BufferedReader lines = open();
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties())) {
      Progress progress = Progress.onTerminal("records");
      List<Header> common = parsedHeaders();
      String line = lines.readLine();
      while (line != null && failure.get() == null) {
        var unused =
            producer.send(record(line, common), (sent, e) -> failure.compareAndSet(null, e));
        progress.at(++count);
        line = lines.readLine();
      }
      producer.flush();
      progress.done();
    }
    Exception e = failure.get();
    if (e != null) {
      throw new IOException("not all records were acknowledged: " + e.getMessage(), e);
    }
    printer.row("topic", topic, "records", count);
    printer.flush();
    return 0;
  }

  private BufferedReader open() throws IOException {
    return file == null
        ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
        : Files.newBufferedReader(file);
  }

  private ProducerRecord<byte[], byte[]> record(String line, List<Header> common) {
    int cut = keySeparator == null ? -1 : line.indexOf(keySeparator);
    byte[] key = cut < 0 ? null : line.substring(0, cut).getBytes(StandardCharsets.UTF_8);
    String value =
        cut < 0 || keySeparator == null ? line : line.substring(cut + keySeparator.length());
    return new ProducerRecord<>(
        topic, partition, null, key, value.getBytes(StandardCharsets.UTF_8), common);
  }

  private List<Header> parsedHeaders() {
    return headers.stream()
        .map(
            h -> {
              int cut = h.indexOf('=');
              String value = cut < 0 ? "" : h.substring(cut + 1);
              return (Header)
                  new RecordHeader(
                      cut < 0 ? h : h.substring(0, cut), value.getBytes(StandardCharsets.UTF_8));
            })
        .toList();
  }

  private Properties properties() throws IOException {
    Properties properties = connection.properties();
    properties.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    properties.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    properties.put(ProducerConfig.ACKS_CONFIG, acks);
    properties.put(
        ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, acks.equals("all") || acks.equals("-1"));
    properties.put(
        ProducerConfig.COMPRESSION_TYPE_CONFIG, codec.name().toLowerCase(java.util.Locale.ROOT));
    properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 20);
    return properties;
  }
}
