package io.strandline.broker.request.data;

/**
 * A set of partitions that outlives a fetch (KIP-227). Its fields belong to {@link FetchSessions}.
 */
final class FetchSession {
  final int id;
  final FetchSet set;
  final boolean byId;
  final boolean follower;
  final long createdMs;
  long usedMs;
  int epoch;
  boolean busy;

  FetchSession(int id, FetchSet set, boolean byId, boolean follower, long nowMs) {
    this.id = id;
    this.set = set;
    this.byId = byId;
    this.follower = follower;
    this.createdMs = nowMs;
    this.usedMs = nowMs;
  }
}
