package io.strandline.broker.observe;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Set;
import org.slf4j.event.KeyValuePair;

/**
 * One JSON object a line: {@code time} (ISO-8601), {@code level}, {@code logger}, {@code thread},
 * {@code message}, the event's own keys beside them, {@code error} with the stack trace. Keys
 * outside the closed list stand together under {@code other}, so that an index of these logs can
 * have a fixed schema.
 */
public final class JsonLines extends EncoderBase<ILoggingEvent> {
  /** The keys that log events of the project may carry. */
  static final Set<String> KEYS =
      Set.of(
          "partition",
          "topic",
          "offset",
          "epoch",
          "segment",
          "object",
          "path",
          "bytes",
          "ms",
          "count",
          "node",
          "client",
          "api",
          "version",
          "reason",
          "state",
          "store",
          "chore",
          "listener",
          "key",
          "value");

  private final JsonFactory factory = new JsonFactory();

  /** Used by {@link LogSetup} and by Logback's configuration files. */
  public JsonLines() {}

  @Override
  public byte[] headerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] footerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = factory.createGenerator(bytes)) {
      json.writeStartObject();
      json.writeStringField("time", Instant.ofEpochMilli(event.getTimeStamp()).toString());
      json.writeStringField("level", event.getLevel().toString());
      json.writeStringField("logger", event.getLoggerName());
      json.writeStringField("thread", event.getThreadName());
      json.writeStringField("message", event.getFormattedMessage());
      keys(json, event);
      IThrowableProxy error = event.getThrowableProxy();
      if (error != null) {
        json.writeStringField("error", ThrowableProxyUtil.asString(error));
      }
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void keys(JsonGenerator json, ILoggingEvent event) throws IOException {
    if (event.getKeyValuePairs() == null) {
      return;
    }
    boolean others = false;
    for (KeyValuePair pair : event.getKeyValuePairs()) {
      if (KEYS.contains(pair.key)) {
        write(json, pair);
      } else {
        others = true;
      }
    }
    if (others) {
      json.writeObjectFieldStart("other");
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        if (!KEYS.contains(pair.key)) {
          write(json, pair);
        }
      }
      json.writeEndObject();
    }
  }

  private static void write(JsonGenerator json, KeyValuePair pair) throws IOException {
    if (pair.value instanceof Integer || pair.value instanceof Long) {
      json.writeNumberField(pair.key, ((Number) pair.value).longValue());
    } else {
      json.writeStringField(pair.key, String.valueOf(pair.value));
    }
  }
}
