package io.strandline.tests.protocol;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Collection;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;

/**
 * Puts one element into each list of a request, and a name into each text, as far as a version has
 * a place for them: of fields that take turns it fills those of that version.
 */
final class Filled {
  private static final String NAME = "never-created";

  private Filled() {}

  static void fill(ApiMessage request, short version) {
    try {
      message(request, version);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether what is filled in has a place in that version. */
  static boolean writable(Message message, short version) {
    try {
      var unused = MessageUtil.toByteBufferAccessor(message, version);
      return true;
    } catch (UnsupportedVersionException e) {
      return false;
    }
  }

  private static void message(Message message, short version) throws ReflectiveOperationException {
    for (Field field : message.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) {
        continue;
      }
      if (field.trySetAccessible()) {
        Object value = field.get(message);
        if ("".equals(value)) {
          field.set(message, NAME);
          if (!writable(message, version)) {
            field.set(message, "");
          }
        } else if (value instanceof Collection<?> list && list.isEmpty()) {
          element(field.getGenericType(), list, version);
          if (!writable(message, version)) {
            list.clear();
          }
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static void element(Type type, Collection<?> list, short version)
      throws ReflectiveOperationException {
    Type of =
        type instanceof Class<?> collection
            ? ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0]
            : ((ParameterizedType) type).getActualTypeArguments()[0];
    if (of instanceof Class<?> element && Message.class.isAssignableFrom(element)) {
      Message message = (Message) element.getDeclaredConstructor().newInstance();
      message(message, version);
      ((Collection<Object>) list).add(message);
    } else if (of == String.class) {
      ((Collection<Object>) list).add(NAME);
    } else if (of == Integer.class) {
      ((Collection<Object>) list).add(0);
    }
  }
}
