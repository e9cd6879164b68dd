package io.strandline.broker.share.window;

/**
 * Who wants records, and on which terms.
 *
 * @param recordsMax so many; whole batches of the log are given though they be more, unless {@code
 *     strict}
 * @param batchRecords runs that are told to the member are to be about so long
 * @param lockedUntilMs when the records are taken from the member again
 * @param deliveryLimit how often a record is given at most
 * @param inFlightMax nothing new is given once so many records wait for their end
 */
public record Claim(
    String member,
    int recordsMax,
    int batchRecords,
    boolean strict,
    long lockedUntilMs,
    int deliveryLimit,
    int inFlightMax) {}
