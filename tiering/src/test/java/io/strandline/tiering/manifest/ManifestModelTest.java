package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.index.Paging;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** With pages so small that a few dozen segments fill several levels of them. */
class ManifestModelTest {
  /** Small enough to be told by its first actions. */
  @Property(tries = 400)
  void anyWorkAgreesWithAListWhateverThePages(
      @ForAll @IntRange(min = 3, max = 6) int headItems,
      @ForAll @IntRange(min = 5, max = 9) int pageItems,
      @ForAll @Size(max = 50) List<@IntRange(min = 0, max = 11) Integer> actions,
      @ForAll long seed) {
    ManifestBench bench = new ManifestBench(Fencing.CHAIN, new Paging(headItems, pageItems));
    ManifestModel model = new ManifestModel(bench, new Random(seed));
    for (int action : actions) {
      model.act(action, 4);
      model.check();
    }
  }
}
