/**
 * Objects encrypted before they leave this process: a decorator over any store, and the key rings
 * that hold its keys. The format is docs/formats/encrypted-object.md.
 */
@NullMarked
package io.strandline.tiering.store.crypt;

import org.jspecify.annotations.NullMarked;
