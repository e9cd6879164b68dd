package io.strandline.broker.observe.kafka;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanRegistration;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/** One meter as an MBean: all attributes may be read, none set, and there are no operations. */
final class MeterBean<T> implements DynamicMBean, MBeanRegistration {
  static final View<Supplier<?>> GAUGE = new View<Supplier<?>>().add("Value", Supplier::get);
  static final View<Rate> RATE = rate();
  static final View<Distribution> DISTRIBUTION = distribution();
  static final View<Timing> TIMING = timing();
  static final View<Map<String, Supplier<?>>> GROUP = new View<>();

  private final View<T> view;
  private final T meter;
  private volatile boolean registered;

  MeterBean(View<T> view, T meter) {
    this.view = view;
    this.meter = meter;
  }

  /** The attributes that all meters of a kind have. */
  static final class View<T> {
    private final Map<String, Function<T, @Nullable Object>> attributes = new LinkedHashMap<>();
    private volatile @Nullable MBeanInfo info;

    View<T> add(String name, Function<T, @Nullable Object> value) {
      attributes.put(name, value);
      return this;
    }

    <U> View<T> addAll(View<U> other, Function<T, U> part) {
      other.attributes.forEach((name, value) -> add(name, t -> value.apply(part.apply(t))));
      return this;
    }
  }

  private static View<Rate> rate() {
    return new View<Rate>()
        .add("Count", Rate::count)
        .add("EventType", Rate::eventType)
        .add("RateUnit", rate -> TimeUnit.SECONDS)
        .add("MeanRate", Rate::meanRate)
        .add("OneMinuteRate", rate -> rate.recentRate(0))
        .add("FiveMinuteRate", rate -> rate.recentRate(1))
        .add("FifteenMinuteRate", rate -> rate.recentRate(2));
  }

  private static View<Distribution> distribution() {
    return new View<Distribution>()
        .add("Count", Distribution::count)
        .add("Max", Distribution::max)
        .add("Min", Distribution::min)
        .add("Mean", Distribution::mean)
        .add("StdDev", Distribution::deviation)
        .add("50thPercentile", d -> d.percentile(0.5))
        .add("75thPercentile", d -> d.percentile(0.75))
        .add("95thPercentile", d -> d.percentile(0.95))
        .add("98thPercentile", d -> d.percentile(0.98))
        .add("99thPercentile", d -> d.percentile(0.99))
        .add("999thPercentile", d -> d.percentile(0.999));
  }

  private static View<Timing> timing() {
    return new View<Timing>()
        .addAll(DISTRIBUTION, Timing::millis)
        .addAll(RATE, Timing::rate)
        .add("LatencyUnit", timing -> TimeUnit.MILLISECONDS);
  }

  boolean registered() {
    return registered;
  }

  @Override
  public @Nullable Object getAttribute(String name) throws AttributeNotFoundException {
    if (meter instanceof Map<?, ?> group && group.get(name) instanceof Supplier<?> value) {
      return value.get();
    }
    Function<T, @Nullable Object> attribute = view.attributes.get(name);
    if (attribute == null) {
      throw new AttributeNotFoundException(name);
    }
    return attribute.apply(meter);
  }

  @Override
  public AttributeList getAttributes(String[] names) {
    AttributeList list = new AttributeList();
    for (String name : names) {
      try {
        list.add(new Attribute(name, getAttribute(name)));
      } catch (AttributeNotFoundException e) {
        // As the interface says: what is not there is left out.
      }
    }
    return list;
  }

  @Override
  public void setAttribute(Attribute attribute) throws AttributeNotFoundException {
    throw new AttributeNotFoundException(attribute.getName() + " can not be set");
  }

  @Override
  public AttributeList setAttributes(AttributeList attributes) {
    return new AttributeList();
  }

  @Override
  public Object invoke(String action, Object[] parameters, String[] signature) {
    throw new UnsupportedOperationException(action);
  }

  /** The same for all of a kind: the server asks for it several times when one is registered. */
  @Override
  public MBeanInfo getMBeanInfo() {
    if (meter instanceof Map<?, ?> group) {
      return info(group.keySet());
    }
    MBeanInfo known = view.info;
    if (known == null) {
      known = info(view.attributes.keySet());
      view.info = known;
    }
    return known;
  }

  private MBeanInfo info(Iterable<?> names) {
    List<MBeanAttributeInfo> attributes = new ArrayList<>();
    for (Object name : names) {
      attributes.add(
          new MBeanAttributeInfo(
              name.toString(), type(name.toString()).getName(), "", true, false, false));
    }
    return new MBeanInfo(
        MeterBean.class.getName(),
        "",
        attributes.toArray(MBeanAttributeInfo[]::new),
        null,
        null,
        null);
  }

  private Class<?> type(String attribute) {
    return switch (attribute) {
      case "EventType" -> String.class;
      case "RateUnit", "LatencyUnit" -> TimeUnit.class;
      case "Count" -> long.class;
      default -> meter instanceof Map || view == GAUGE ? Object.class : double.class;
    };
  }

  // ---- another node in the same process may take the name over

  @Override
  public ObjectName preRegister(MBeanServer server, @Nullable ObjectName name) {
    return Objects.requireNonNull(name);
  }

  @Override
  public void postRegister(@Nullable Boolean done) {
    registered = Boolean.TRUE.equals(done);
  }

  @Override
  public void preDeregister() {}

  @Override
  public void postDeregister() {
    registered = false;
  }
}
