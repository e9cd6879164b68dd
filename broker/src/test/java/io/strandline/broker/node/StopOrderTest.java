package io.strandline.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StopOrderTest {
  @Test
  void whateverAPartThrowsTheEarlierOnesAreStopped() {
    List<String> stopped = new ArrayList<>();
    StopOrder parts = new StopOrder();
    parts.started("logs", () -> stopped.add("logs"));
    parts.started(
        "fails",
        () -> {
          throw new IOException("as a disk does");
        });
    parts.started(
        "lacks a class",
        () -> {
          throw new NoClassDefFoundError("of a jar that was replaced");
        });
    parts.started("sockets", () -> stopped.add("sockets"));

    parts.close();
    parts.close();

    assertThat(stopped).containsExactly("sockets", "logs");
  }
}
