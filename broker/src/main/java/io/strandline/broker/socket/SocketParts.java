package io.strandline.broker.socket;

import io.strandline.broker.request.Dispatcher;
import java.util.function.LongSupplier;

/** What all connections of a server share. */
record SocketParts(
    Dispatcher dispatcher,
    SocketConfig.Limits limits,
    BytesBudget budget,
    RequestMeters meters,
    RefusalLog refusals,
    LongSupplier nanoClock) {}
