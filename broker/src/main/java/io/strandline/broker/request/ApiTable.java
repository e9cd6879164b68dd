package io.strandline.broker.request;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;

/**
 * Which APIs this broker serves, in which versions, and who serves them. What is not in the table
 * is not advertised, and a client that asks for it loses its connection.
 */
public final class ApiTable {
  private final Map<ApiKeys, Entry> entries;

  private ApiTable(Map<ApiKeys, Entry> entries) {
    this.entries = entries;
  }

  /** Of stable versions alone. */
  public static Builder builder() {
    return builder(false);
  }

  /**
   * @param unstable whether versions that Kafka does not call stable yet are served too ({@code
   *     unstable.api.versions.enable})
   */
  public static Builder builder(boolean unstable) {
    return new Builder(unstable);
  }

  public boolean serves(ApiKeys api, short version) {
    Entry entry = entries.get(api);
    return entry != null && version >= entry.minVersion && version <= entry.maxVersion;
  }

  public Set<ApiKeys> apis() {
    return entries.keySet();
  }

  /** The range of versions served, empty for an API not in the table. */
  public Optional<ApiVersion> versions(ApiKeys api) {
    return Optional.ofNullable(entries.get(api))
        .map(
            entry ->
                new ApiVersion()
                    .setApiKey(api.id)
                    .setMinVersion(entry.minVersion)
                    .setMaxVersion(entry.maxVersion));
  }

  Optional<Handler<?>> handler(ApiKeys api) {
    return Optional.ofNullable(entries.get(api)).map(Entry::handler);
  }

  private record Entry(Handler<?> handler, short minVersion, short maxVersion) {}

  /** Collects entries; an API may be added once. */
  public static final class Builder {
    private final Map<ApiKeys, Entry> entries = new EnumMap<>(ApiKeys.class);
    private final boolean unstable;

    private Builder(boolean unstable) {
      this.unstable = unstable;
    }

    /** All versions of the API, or all that are stable. */
    public <T extends AbstractRequest> Builder add(ApiKeys api, Handler<T> handler) {
      return add(api, api.oldestVersion(), api.latestVersion(unstable), handler);
    }

    /** Versions from the oldest Kafka knows up to {@code maxVersion}. */
    public <T extends AbstractRequest> Builder add(
        ApiKeys api, int maxVersion, Handler<T> handler) {
      return add(api, api.oldestVersion(), maxVersion, handler);
    }

    public <T extends AbstractRequest> Builder add(
        ApiKeys api, int minVersion, int maxVersion, Handler<T> handler) {
      if (!api.isVersionSupported((short) minVersion)
          || !api.isVersionSupported((short) maxVersion)
          || minVersion > maxVersion) {
        throw new IllegalArgumentException(
            "no versions " + minVersion + " to " + maxVersion + " of " + api);
      }
      Entry entry = new Entry(handler, (short) minVersion, (short) maxVersion);
      if (entries.putIfAbsent(api, entry) != null) {
        throw new IllegalArgumentException(api + " is served twice");
      }
      return this;
    }

    public ApiTable build() {
      return new ApiTable(new EnumMap<>(entries));
    }
  }
}
