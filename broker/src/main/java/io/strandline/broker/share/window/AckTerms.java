package io.strandline.broker.share.window;

/**
 * @param deliveryLimit how often a record is given at most
 * @param renews whether locks may be renewed in this group
 * @param renewedUntilMs until when, if so
 */
public record AckTerms(int deliveryLimit, boolean renews, long renewedUntilMs) {}
