package io.strandline.tools.replay;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.replay.job.HistoryRecord;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a record is written. */
public enum RecordFormat {
  /**
   * A JSON object a line: partition, offset, timestamp, key, value, headers. What is no UTF-8
   * stands in base64 under a name of its own: {@code keyBase64}, {@code valueBase64}.
   */
  JSON("jsonl") {
    @Override
    void write(HistoryRecord record, OutputStream out) throws IOException {
      Map<String, @Nullable Object> line = new LinkedHashMap<>();
      line.put("partition", record.partition());
      line.put("offset", record.offset());
      line.put("timestamp", record.timestampMs());
      put(line, "key", record.key());
      put(line, "value", record.value());
      List<Map<String, @Nullable Object>> headers = new ArrayList<>();
      for (HistoryRecord.Header header : record.headers()) {
        Map<String, @Nullable Object> one = new LinkedHashMap<>();
        one.put("key", header.key());
        put(one, "value", header.value());
        headers.add(one);
      }
      line.put("headers", headers);
      out.write(MAPPER.writeValueAsBytes(line));
      out.write('\n');
    }
  },
  /** The value and a line feed; a tombstone is an empty line. */
  VALUES("txt") {
    @Override
    void write(HistoryRecord record, OutputStream out) throws IOException {
      if (record.value() != null) {
        out.write(record.value());
      }
      out.write('\n');
    }
  },
  /** The value after its length in four bytes, big-endian; -1 for a tombstone. */
  FRAMED("bin") {
    @Override
    void write(HistoryRecord record, OutputStream out) throws IOException {
      DataOutputStream data = new DataOutputStream(out);
      data.writeInt(record.value() == null ? -1 : record.value().length);
      if (record.value() != null) {
        data.write(record.value());
      }
    }
  };

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final String extension;

  RecordFormat(String extension) {
    this.extension = extension;
  }

  String extension() {
    return extension;
  }

  abstract void write(HistoryRecord record, OutputStream out) throws IOException;

  private static void put(
      Map<String, @Nullable Object> line, String name, byte @Nullable [] bytes) {
    if (bytes == null) {
      line.put(name, null);
      return;
    }
    try {
      line.put(name, StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      line.put(name + "Base64", Base64.getEncoder().encodeToString(bytes));
    }
  }
}
