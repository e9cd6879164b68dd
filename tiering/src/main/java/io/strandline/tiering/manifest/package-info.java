/**
 * What is in the store: immutable, numbered versions per partition, committed conditionally and
 * fenced by leader epoch.
 */
@NullMarked
package io.strandline.tiering.manifest;

import org.jspecify.annotations.NullMarked;
