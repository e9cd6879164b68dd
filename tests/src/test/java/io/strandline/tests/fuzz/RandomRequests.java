package io.strandline.tests.fuzz;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.utils.ByteUtils;

/**
 * Requests of every API in every version, filled by their schemas. Every now and then a length or a
 * count is not what follows.
 */
final class RandomRequests {
  private static final int BYTES_MAX = 1 << 16;
  private static final int ITEMS_MAX = 4;

  private final Random chance;
  private final ByteBuffer out = ByteBuffer.allocate(BYTES_MAX + (4 << 10));
  private final int liesIn;

  private RandomRequests(Random chance) {
    this.chance = chance;
    this.liesIn = chance.nextBoolean() ? Integer.MAX_VALUE : 20;
  }

  /** Header and body. */
  static byte[] any(Random chance) {
    ApiMessageType api = ApiMessageType.values()[chance.nextInt(ApiMessageType.values().length)];
    short oldest = api.lowestSupportedVersion();
    short latest = api.highestSupportedVersion(true);
    if (oldest > latest) {
      return new byte[] {0, (byte) api.apiKey(), 0, 0};
    }
    short version = (short) (oldest + chance.nextInt(latest - oldest + 1));
    return new RandomRequests(chance).request(api, version);
  }

  private byte[] request(ApiMessageType api, short version) {
    out.putShort(api.apiKey()).putShort(version).putInt(chance.nextInt());
    short header = ApiKeys.forId(api.apiKey()).requestHeaderVersion(version);
    if (header >= 1) {
      nullableString(false);
    }
    if (header >= 2) {
      tags(TaggedFields.of());
    }
    schema(api.requestSchemas()[version]);
    return Arrays.copyOf(out.array(), out.position());
  }

  private void schema(Schema schema) {
    for (BoundField field : schema.fields()) {
      value(field.def.type);
    }
  }

  private void value(Type type) {
    if (out.position() > BYTES_MAX - 1024) {
      return; // cut short is hostile too
    }
    if (type instanceof Schema schema) {
      schema(schema);
    } else if (type instanceof TaggedFields tags) {
      tags(tags);
    } else if (type.isArray()) {
      array(type);
    } else {
      plain(type.toString());
    }
  }

  private void array(Type type) {
    boolean compact = type.getClass().getSimpleName().startsWith("Compact");
    boolean none = type.isNullable() && chance.nextInt(4) == 0;
    int items = none ? -1 : chance.nextInt(ITEMS_MAX);
    length(items, compact);
    for (int i = 0; i < items; i++) {
      value(type.arrayElementType().orElseThrow());
    }
  }

  private void tags(TaggedFields type) {
    int unknown = chance.nextInt(6) == 0 ? 1 + chance.nextInt(3) : 0;
    int known = type.numFields() > 0 && chance.nextBoolean() ? type.numFields() : 0;
    ByteUtils.writeUnsignedVarint(lie(unknown + known), out);
    if (known > 0) {
      type.fields()
          .forEach(
              (tag, field) -> {
                ByteUtils.writeUnsignedVarint(tag, out);
                int at = out.position();
                out.putShort((short) 0); // two bytes of length, filled in behind
                value(field.type);
                int bytes = lie(out.position() - at - 2);
                out.put(at, (byte) (0x80 | (bytes & 0x7f))).put(at + 1, (byte) (bytes >> 7 & 0x7f));
              });
    }
    for (int i = 0; i < unknown; i++) {
      ByteUtils.writeUnsignedVarint(10_000 + i, out);
      bytes(chance.nextInt(20), true);
    }
  }

  private void plain(String type) {
    switch (type) {
      case "BOOLEAN", "INT8" -> out.put((byte) chance.nextInt(3));
      case "INT16", "UINT16" -> out.putShort((short) number());
      case "INT32", "UINT32" -> out.putInt((int) number());
      case "INT64", "FLOAT64" -> out.putLong(number());
      case "UUID" -> out.putLong(chance.nextInt(2)).putLong(chance.nextInt(2));
      case "STRING" -> string(false);
      case "COMPACT_STRING" -> string(true);
      case "NULLABLE_STRING" -> nullableString(false);
      case "COMPACT_NULLABLE_STRING" -> nullableString(true);
      case "BYTES", "NULLABLE_BYTES", "RECORDS", "NULLABLE_RECORDS" -> payload(false);
      case "COMPACT_BYTES",
          "COMPACT_NULLABLE_BYTES",
          "COMPACT_RECORDS",
          "COMPACT_NULLABLE_RECORDS" ->
          payload(true);
      default -> throw new IllegalArgumentException("a type this does not know: " + type);
    }
  }

  private long number() {
    return chance.nextInt(3) == 0 ? Mutations.extreme(chance) : chance.nextInt(4);
  }

  private void nullableString(boolean compact) {
    if (chance.nextInt(4) == 0) {
      shortLength(-1, compact);
    } else {
      string(compact);
    }
  }

  private void string(boolean compact) {
    byte[] text = ("name-" + chance.nextInt(3)).getBytes(StandardCharsets.UTF_8);
    shortLength(text.length, compact);
    out.put(text);
  }

  private void shortLength(int length, boolean compact) {
    if (compact) {
      length(length, true);
    } else {
      out.putShort((short) lie(length));
    }
  }

  private void payload(boolean compact) {
    if (chance.nextBoolean()) {
      byte[] batch = Batches.any(new Batches.Place(0, 0, 1_000), new Random(chance.nextInt(50)));
      if (batch.length < out.remaining() - 2048) {
        length(batch.length, compact);
        out.put(batch);
        return;
      }
    }
    int count = chance.nextInt(50);
    length(count, compact);
    for (int i = 0; i < count; i++) {
      out.put((byte) chance.nextInt());
    }
  }

  private void bytes(int count, boolean unsigned) {
    ByteUtils.writeUnsignedVarint(unsigned ? lie(count) : count, out);
    for (int i = 0; i < count; i++) {
      out.put((byte) chance.nextInt());
    }
  }

  private void length(int count, boolean compact) {
    int said = lie(count);
    if (compact) {
      ByteUtils.writeUnsignedVarint(said + 1, out);
    } else {
      out.putInt(said);
    }
  }

  private int lie(int truth) {
    if (liesIn == Integer.MAX_VALUE || chance.nextInt(liesIn) > 0) {
      return truth;
    }
    // What is left is the largest count that a parser which looks lets through.
    return chance.nextInt(3) == 0 ? BYTES_MAX - out.position() : (int) Mutations.extreme(chance);
  }
}
