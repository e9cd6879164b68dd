package io.strandline.broker.socket;

import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Shares;
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
    Shares shares,
    HeldHeap heap,
    RequestMeters meters,
    RefusalLog refusals,
    Executor logins,
    LongSupplier nanoClock) {}
