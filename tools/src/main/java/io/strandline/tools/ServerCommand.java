package io.strandline.tools;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** Stands in the list of commands; the launcher starts the broker itself and never comes here. */
@Command(
    name = "server",
    description =
        "Start a broker (and, by default, its controller). See 'strandline server --help'.")
final class ServerCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Unmatched private String[] ignored = {};

  @Override
  public Integer call() {
    spec.commandLine().getErr().println("strandline: start the server with bin/strandline server");
    return 2;
  }
}
