package io.strandline.tests.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.StoreException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The S3 server that {@code STRANDLINE_TEST_S3_ENDPOINT} and its like name: one to trust. */
class GivenS3Test extends S3Contract {
  @Override
  S3Server server() {
    @Nullable S3Server given = S3Server.fromEnvironment();
    Assumptions.assumeTrue(given != null, "no S3 server is given by the environment");
    assert given != null;
    return given;
  }

  @Test
  void aWrongSecretIsRefused() {
    S3Server.Keys wrong = new S3Server.Keys(server().keys().accessKey(), "not the secret");
    try (var store = open(server().bucket() + "/x", "", wrong)) {
      assertFails(StoreException.Refused.class, () -> store.get(key("a"), 1).join());
      assertFails(StoreException.Refused.class, () -> store.put(key("a"), text("x")).join());
    }
    assertThat(store().head(key("a")).join()).isEmpty();
  }
}
