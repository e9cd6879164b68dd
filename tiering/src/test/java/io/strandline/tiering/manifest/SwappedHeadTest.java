package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;

class SwappedHeadTest extends ManifestContract {
  @Override
  Fencing fencing() {
    return Fencing.SWAP;
  }
}
