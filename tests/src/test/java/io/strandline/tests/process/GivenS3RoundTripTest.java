package io.strandline.tests.process;

import io.strandline.tests.store.S3Server;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * The S3 server that {@code STRANDLINE_TEST_S3_ENDPOINT} and its like name, such as Ceph's gateway:
 * one to trust.
 */
class GivenS3RoundTripTest extends S3RoundTrip {
  @Override
  S3Server server() {
    @Nullable S3Server given = S3Server.fromEnvironment();
    Assumptions.assumeTrue(given != null, "no S3 server is given by the environment");
    assert given != null;
    return given;
  }
}
