package io.strandline.tools.doctor;

import java.util.List;

/** Looks at one part of a node or a cluster. */
interface Check {
  /**
   * @return at least one finding of each thing it looked at
   * @throws Exception if it could not look; that is a finding too
   */
  List<Finding> run() throws Exception;
}
