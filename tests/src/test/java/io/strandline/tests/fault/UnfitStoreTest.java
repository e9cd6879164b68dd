package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store in which two conditional writers both win is no store for a tier. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class UnfitStoreTest {
  @TempDir Path dir;

  @Test
  void aStoreThatLetsEveryWriterWinRefusesTheStart() throws Exception {
    try (CarelessS3 store = new CarelessS3()) {
      BrokerProcess.Refusal refusal =
          BrokerProcess.startRefused(
              dir,
              Map.of("strandline.object.store", store.uri()),
              Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any-secret"));
      assertThat(refusal.exitCode()).as(refusal.output()).isEqualTo(1);
      assertThat(refusal.said())
          .singleElement()
          .asString()
          .contains("If-None-Match ignored")
          .contains("two brokers");
    }
  }
}
