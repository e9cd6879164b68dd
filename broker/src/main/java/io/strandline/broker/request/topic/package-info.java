/** Topics as clients see them: metadata, the description of topics by pages. */
@NullMarked
package io.strandline.broker.request.topic;

import org.jspecify.annotations.NullMarked;
