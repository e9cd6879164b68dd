package io.strandline.tiering.store.s3.receive;

import software.amazon.awssdk.http.SdkHttpRequest;

/** Where connections go to. */
record Endpoint(boolean tls, String host, int port) {
  static Endpoint of(SdkHttpRequest request) {
    return new Endpoint(
        request.protocol().equalsIgnoreCase("https"), request.host(), request.port());
  }

  /** As HTTP's Host header has it: the port only if it is not the scheme's own. */
  String authority() {
    return port == (tls ? 443 : 80) ? host : host + ":" + port;
  }

  @Override
  public String toString() {
    return (tls ? "https://" : "http://") + host + ":" + port;
  }
}
