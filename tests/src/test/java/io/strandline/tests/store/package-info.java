/** The store's contract on S3 servers that are processes of their own, and an independent audit. */
@NullMarked
package io.strandline.tests.store;

import org.jspecify.annotations.NullMarked;
