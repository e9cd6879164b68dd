package io.strandline.tests.security;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.plain.PlainAuthenticateCallback;

/** Lets everybody in by PLAIN, but not before the test says so. */
public final class HeldLogIns implements AuthenticateCallbackHandler {
  static final AtomicInteger BEGUN = new AtomicInteger();
  static final CountDownLatch RELEASED = new CountDownLatch(1);

  @Override
  public void configure(
      Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
    // It takes no settings.
  }

  @Override
  public void handle(Callback[] callbacks) throws IOException {
    BEGUN.incrementAndGet();
    try {
      if (!RELEASED.await(60, TimeUnit.SECONDS)) {
        throw new IOException("nobody released it");
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    for (Callback callback : callbacks) {
      if (callback instanceof PlainAuthenticateCallback asked) {
        asked.authenticated(true);
      }
    }
  }

  @Override
  public void close() {
    // It has nothing.
  }
}
