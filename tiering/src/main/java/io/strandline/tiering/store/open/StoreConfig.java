package io.strandline.tiering.store.open;

import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.guard.Budget;
import io.strandline.tiering.store.guard.Circuit;
import io.strandline.tiering.store.guard.Deadline;
import io.strandline.tiering.store.guard.Rates;
import io.strandline.tiering.store.guard.Retry;
import io.strandline.tiering.store.s3.S3Config;
import java.util.Optional;

/**
 * How a store is used, whichever it is.
 *
 * @param s3Credentials none for the SDK's own chain
 * @param keys for objects that are encrypted here
 */
public record StoreConfig(
    Deadline deadline,
    Retry retry,
    Budget budget,
    Circuit circuit,
    Rates rates,
    S3Config.Multipart multipart,
    Optional<S3Config.Credentials> s3Credentials,
    KeyRing keys) {

  public static StoreConfig defaults() {
    return new StoreConfig(
        Deadline.defaults(),
        Retry.defaults(),
        Budget.defaults(),
        Circuit.defaults(),
        Rates.unlimited(),
        S3Config.Multipart.defaults(),
        Optional.empty(),
        KeyRing.none());
  }

  public StoreConfig withRates(Rates limits) {
    return new StoreConfig(
        deadline, retry, budget, circuit, limits, multipart, s3Credentials, keys);
  }

  public StoreConfig withKeys(KeyRing ring) {
    return new StoreConfig(deadline, retry, budget, circuit, rates, multipart, s3Credentials, ring);
  }
}
