package io.strandline.broker.socket;

import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Shares;
import java.util.function.LongSupplier;

/** What all connections of a server share. */
record SocketParts(
    Dispatcher dispatcher,
    SocketConfig.Limits limits,
    Shares shares,
    HeldHeap heap,
    RequestMeters meters,
    RefusalLog refusals,
    LongSupplier nanoClock) {}
