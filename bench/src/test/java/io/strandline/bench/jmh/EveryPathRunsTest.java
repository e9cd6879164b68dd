package io.strandline.bench.jmh;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each benchmark does its work, again and again, without JMH around it. */
class EveryPathRunsTest {
  @ParameterizedTest
  @ValueSource(ints = {1024, 65536})
  void appends(int batchBytes) throws IOException {
    AppendPath path = new AppendPath();
    path.batchBytes = batchBytes;
    path.openLog();
    assertThat(path.append().firstOffset()).isZero();
    assertThat(path.append().firstOffset()).isEqualTo(batchBytes / 1024);
    path.removeLog();
  }

  @ParameterizedTest
  @ValueSource(ints = {1024, 65536})
  void framesAreAnswered(int batchBytes) throws IOException {
    FramePath path = new FramePath();
    path.batchBytes = batchBytes;
    path.start();
    assertThat(path.produce()).isPositive().isEqualTo(path.produce());
    path.stop();
  }

  @Test
  void footersAreDecoded() throws IOException {
    FooterDecode decode = new FooterDecode();
    decode.encode();
    assertThat(decode.tail().footer()).isEqualTo(decode.footer());
  }
}
