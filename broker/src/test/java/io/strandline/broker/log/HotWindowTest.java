package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What counts as hot is what the broker wrote last, whichever log took it. */
class HotWindowTest {
  @Test
  void whatWasNotWrittenSinceTheStartIsNot() {
    HotWindow.OfLog log = new HotWindow(1000).ofLog();
    assertThat(log.holds(0)).isFalse();
    log.wrote(50, 10);
    assertThat(log.holds(49)).isFalse();
    assertThat(log.holds(50)).isTrue();
    assertThat(log.holds(60)).isTrue();
  }

  @Test
  void theNewestBytesStayAndOlderOnesGo() {
    HotWindow.OfLog log = new HotWindow(1000).ofLog();
    for (int offset = 0; offset < 5000; offset++) {
      log.wrote(offset, 1);
    }
    assertThat(log.holds(3999)).isFalse();
    assertThat(log.holds(4100)).isTrue(); // a step of a sixteenth may be missing
  }

  @Test
  void writesOfOtherLogsPushAnIdleOneOut() {
    HotWindow window = new HotWindow(1000);
    HotWindow.OfLog idle = window.ofLog();
    HotWindow.OfLog busy = window.ofLog();
    idle.wrote(7, 10);
    busy.wrote(0, 900);
    assertThat(idle.holds(7)).isTrue();
    busy.wrote(1, 200);
    assertThat(idle.holds(7)).isFalse();
    idle.wrote(8, 1);
    assertThat(idle.holds(7)).isFalse();
    assertThat(idle.holds(8)).isTrue();
  }

  @Test
  void afterATruncationOnlyWhatIsWrittenAgainIs() {
    HotWindow.OfLog log = new HotWindow(1000).ofLog();
    log.wrote(0, 100);
    log.wrote(50, 100);
    log.wrote(20, 100); // truncated to 20
    assertThat(log.holds(20)).isTrue();
  }

  @Test
  void aWindowOfNothingHoldsNothingWritten() {
    HotWindow.OfLog log = new HotWindow(0).ofLog();
    log.wrote(0, 10);
    assertThat(log.holds(0)).isFalse();
  }
}
