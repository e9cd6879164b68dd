package io.strandline.tiering.manifest;

import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;

/**
 * A version for those who hold one for long, of every partition they lead or read: its bytes, which
 * take a quarter of the room, and its plain facts. The rest is decoded again when somebody asks and
 * nobody else holds it. Threads: any.
 */
final class PackedVersion {
  private final ManifestVersion facts;
  private final ByteBuffer bytes;
  private volatile WeakReference<ManifestVersion> unpacked;

  PackedVersion(ManifestVersion version) {
    this.facts = version.withoutContents();
    this.bytes = VersionCodec.encode(version);
    this.unpacked = new WeakReference<>(version);
  }

  /** All but what it lists: index, retired, dropped and ancestry are empty here. */
  ManifestVersion facts() {
    return facts;
  }

  /** The whole of it. */
  ManifestVersion version() {
    ManifestVersion version = unpacked.get();
    if (version == null && facts.number() == 0) {
      return facts; // The empty one never stood anywhere.
    }
    if (version == null) {
      version = VersionCodec.decode(facts.partition(), bytes);
      unpacked = new WeakReference<>(version);
    }
    return version;
  }
}
