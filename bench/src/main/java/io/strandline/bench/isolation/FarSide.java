package io.strandline.bench.isolation;

import io.strandline.bench.load.History;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.PacedReplay;
import io.strandline.bench.objects.ObjectServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A process that holds what would be other machines: the object store, and the consumers that
 * replay. Takes the directory of the objects, prints the store's URI, and then does what each line
 * of standard input says, and answers with one line:
 *
 * <ul>
 *   <li>{@code write BOOTSTRAP BYTES}: fills a topic, whose past is in the store when it answers
 *   <li>{@code rate SECONDS}: replays as fast as it is let; answers with bytes a second
 *   <li>{@code begin RATE}: replays at that many bytes a second from now on
 *   <li>{@code end}: stops that; answers with the bytes read
 *   <li>{@code leave}: closes all clients of the broker; only the store stays
 * </ul>
 */
final class FarSide implements AutoCloseable {
  private static final double WRITE_SECONDS = 120;

  private final History history;
  private final PacedReplay replay;

  private FarSide(History history, PacedReplay replay) {
    this.history = history;
    this.replay = replay;
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (ObjectServer store = ObjectServer.start(Path.of(args[0]))) {
      answer(store.uri());
      String[] first = in.readLine().split(" ");
      try (FarSide side = write(first[1], Long.parseLong(first[2]))) {
        answer("written");
        for (String line = in.readLine();
            line != null && !line.equals("leave");
            line = in.readLine()) {
          answer(side.obey(line.split(" ")));
        }
      }
      answer("left");
      for (String line = in.readLine(); line != null; line = in.readLine()) {}
    }
    System.exit(0);
  }

  private static FarSide write(String bootstrap, long bytes) throws Exception {
    History history = History.write(bootstrap, new Load.Size(bytes, WRITE_SECONDS));
    return new FarSide(history, new PacedReplay(bootstrap, history.ends()));
  }

  private String obey(String[] words) throws Exception {
    return switch (words[0]) {
      case "rate" -> Double.toString(replay.rate(Double.parseDouble(words[1])));
      case "begin" -> {
        replay.begin(Double.parseDouble(words[1]));
        yield "begun";
      }
      case "end" -> Long.toString(replay.end());
      default -> throw new IllegalArgumentException(words[0]);
    };
  }

  private static void answer(String line) {
    System.out.println(line);
    System.out.flush();
  }

  @Override
  public void close() throws IOException {
    replay.close();
    history.close();
  }
}
