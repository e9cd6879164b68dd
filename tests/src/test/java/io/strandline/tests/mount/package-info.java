/** A topic of one cluster, restored in another and mounted by it, with real clients. */
package io.strandline.tests.mount;
