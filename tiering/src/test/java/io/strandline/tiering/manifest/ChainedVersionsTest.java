package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;

class ChainedVersionsTest extends ManifestContract {
  @Override
  Fencing fencing() {
    return Fencing.CHAIN;
  }
}
