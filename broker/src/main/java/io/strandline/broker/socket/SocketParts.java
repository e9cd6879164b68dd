package io.strandline.broker.socket;

import io.strandline.broker.request.Dispatcher;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * What all connections of a server share.
 *
 * @param logins for the steps of a log-in, which may be slow
 */
record SocketParts(
    Dispatcher dispatcher,
    SocketConfig.Limits limits,
    BytesBudget budget,
    AnswerMemory answers,
    RequestMeters meters,
    RefusalLog refusals,
    Executor logins,
    LongSupplier nanoClock) {}
