package io.strandline.broker.request;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.requests.AbstractRequest;

/**
 * What one API does. Called on the event loop of the connection that asked, so it never blocks:
 * work that may wait is handed on, and the stage completes later, on any thread.
 *
 * <p>A failure, thrown or in the stage, becomes the protocol error of the whole response in {@link
 * Dispatcher}; errors of single partitions or groups are the handler's to put into the response.
 *
 * @param <T> the body that {@link Request#body()} has for this API
 */
@FunctionalInterface
public interface Handler<T extends AbstractRequest> {
  CompletionStage<Reply> handle(Request<T> request);
}
