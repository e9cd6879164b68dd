/** Configurations told and changed: of topics, brokers, groups, client metrics and loggers. */
@NullMarked
package io.strandline.broker.request.config;

import org.jspecify.annotations.NullMarked;
