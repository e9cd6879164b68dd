package io.strandline.tools.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.job.JobProgress.Skipped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint serves the job it is of and no other. */
class CheckpointTest {
  private static final Checkpoint.Job JOB = new Checkpoint.Job("id-1", "standard output as json");

  @TempDir private Path dir;
  private Path file;

  @BeforeEach
  void place() {
    file = dir.resolve("job");
  }

  @Test
  void itsOwnJobGoesOnWithIt() throws IOException {
    saved();
    Checkpoint again = Checkpoint.open(file, "orders");
    again.claim(JOB);
    assertThat(again.marks()).isEqualTo(Map.of(2, new RecordOutput.Mark(7, 70)));
  }

  @Test
  void anotherTopicOfTheNameAndAnotherOutputAreRefused() throws IOException {
    saved();
    refuses(new Checkpoint.Job("id-2", JOB.output()), "another job's");
    refuses(new Checkpoint.Job(JOB.topicId(), "files in /x as json"), "another job's");
    assertThatThrownBy(() -> Checkpoint.open(file, "trips")).hasMessageContaining("trips");
  }

  @Test
  void oneThatDoesNotSayWhoseItIsServesWhenItWasToldSo() throws IOException {
    String old = "{\"topic\":\"orders\",\"partitions\":{\"0\":{\"next\":5,\"bytes\":0}}}";
    Files.writeString(file, old);
    String missing = "\"topicId\":\"id-1\",\"output\":\"standard output as json\"";
    refuses(JOB, missing);
    Files.writeString(file, "{" + missing + "," + old.substring(1));
    Checkpoint.open(file, "orders").claim(JOB);
  }

  @Test
  void whatWasLeftOutBelowTheMarksIsKept() throws IOException {
    saved();
    Skipped below = new Skipped(2, 8, 12, "checksum");
    Skipped above = new Skipped(2, 20, 30, "gone");
    Checkpoint second = Checkpoint.open(file, "orders");
    assertThat(second.skippedBefore()).isEmpty();
    second.claim(JOB);
    second.save(Map.of(2, new RecordOutput.Mark(15, 150)), List.of(below, above));
    Checkpoint third = Checkpoint.open(file, "orders");
    assertThat(third.skippedBefore()).as("the other is met again").containsExactly(below);
    third.claim(JOB);
    third.save(Map.of(2, new RecordOutput.Mark(40, 400)), List.of(above));
    assertThat(Checkpoint.open(file, "orders").skippedBefore()).containsExactly(below, above);
  }

  private void saved() throws IOException {
    Checkpoint first = Checkpoint.open(file, "orders");
    first.claim(JOB);
    first.save(Map.of(2, new RecordOutput.Mark(7, 70)), List.of());
  }

  private void refuses(Checkpoint.Job job, String why) throws IOException {
    Checkpoint opened = Checkpoint.open(file, "orders");
    assertThatThrownBy(() -> opened.claim(job))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }
}
