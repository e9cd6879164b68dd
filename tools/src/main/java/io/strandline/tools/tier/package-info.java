/** The tier as tools see it beside its manifests: places in it, and what it weighs. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.tier;
