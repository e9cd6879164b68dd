package io.strandline.tiering.store;

import java.time.Instant;

/**
 * What the store says of one object.
 *
 * @param etag the store's opaque version mark, to be given back to {@link ObjectStore#replace}
 *     unread
 * @param modified by the store's own clock
 */
public record ObjectInfo(ObjectKey key, long lengthBytes, String etag, Instant modified) {}
