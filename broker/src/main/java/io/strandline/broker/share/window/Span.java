package io.strandline.broker.share.window;

/**
 * A batch of the log.
 *
 * @param last included
 * @param deliverable false for what no member is to see: control batches, aborted transactions
 */
public record Span(long first, long last, boolean deliverable) {}
