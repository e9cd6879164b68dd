package io.strandline.tests.protocol;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Collection;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;

/** Puts one element into each list of a request, and a name into each text. */
final class Filled {
  private static final String NAME = "never-created";

  private Filled() {}

  static void fill(ApiMessage request) {
    try {
      message(request);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static void message(Message message) throws ReflectiveOperationException {
    for (Field field : message.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) {
        continue;
      }
      if (field.trySetAccessible()) {
        Object value = field.get(message);
        if ("".equals(value)) {
          field.set(message, NAME);
        } else if (value instanceof Collection<?> list && list.isEmpty()) {
          element(field.getGenericType(), list);
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static void element(Type type, Collection<?> list) throws ReflectiveOperationException {
    Type of =
        type instanceof Class<?> collection
            ? ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0]
            : ((ParameterizedType) type).getActualTypeArguments()[0];
    if (of instanceof Class<?> element && Message.class.isAssignableFrom(element)) {
      Message message = (Message) element.getDeclaredConstructor().newInstance();
      message(message);
      ((Collection<Object>) list).add(message);
    } else if (of == String.class) {
      ((Collection<Object>) list).add(NAME);
    } else if (of == Integer.class) {
      ((Collection<Object>) list).add(0);
    }
  }
}
