package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Turns;
import io.strandline.tiering.store.s3.receive.Receiver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.function.Function;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** One answer on its way: a good one's body into its place, a bad one's into an exception. */
final class DirectAnswer<T> implements Receiver {
  /**
   * S3's errors have some hundred bytes; what is behind the first of a longer one is passed over.
   */
  private static final int ERROR_BYTES = 16 << 10;

  private static final int FORBIDDEN = 403;

  private final Function<Head, Body<T>> opening;
  private final SignedGets requests;
  private final Turns turns = new Turns();
  private @Nullable Body<T> body;
  private @Nullable T landed;
  private @Nullable Head refusal;
  private final ByteArrayOutputStream error = new ByteArrayOutputStream(0);

  DirectAnswer(Function<Head, Body<T>> opening, SignedGets requests) {
    this.opening = opening;
    this.requests = requests;
  }

  @Override
  public void head(Head head) {
    if (head.status() / 100 == 2) {
      body = opening.apply(head);
    } else {
      refusal = head;
    }
  }

  @Override
  public void put(ByteBuffer piece) {
    int bytes = piece.remaining();
    if (body == null) {
      keep(piece);
    } else {
      body.take(piece);
      turns.took(bytes);
    }
  }

  private void keep(ByteBuffer piece) {
    byte[] some = new byte[Math.min(piece.remaining(), ERROR_BYTES - error.size())];
    piece.get(some);
    error.writeBytes(some);
  }

  @Override
  public @Nullable ByteBuffer enter(int maxBytes) {
    return body == null ? null : body.enter(maxBytes);
  }

  @Override
  public void leave(int filledBytes) {
    if (body != null) {
      body.leave(filledBytes);
      turns.took(filledBytes);
    }
  }

  @Override
  public void end() {
    landed = body == null ? null : body.whole();
  }

  /**
   * After the end.
   *
   * @throws S3Exception that says what the store refuses; the connection is as good as before
   */
  T landed() {
    if (refusal != null) {
      throw refused(refusal);
    }
    if (landed == null) {
      throw new IllegalStateException("nothing has come");
    }
    return landed;
  }

  private RuntimeException refused(Head head) {
    if (head.status() == FORBIDDEN) {
      S3Answers.date(head.field("Date")).ifPresent(requests::refusedAt);
    }
    String code = element("Code");
    String message = element("Message");
    return S3Exception.builder()
        .statusCode(head.status())
        .message(code + " " + message)
        .awsErrorDetails(AwsErrorDetails.builder().errorCode(code).errorMessage(message).build())
        .build();
  }

  /** The text of the first element of a name; empty if what came is no error of S3's. */
  private String element(String name) {
    try {
      XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
      factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
      factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
      XMLStreamReader xml =
          factory.createXMLStreamReader(new ByteArrayInputStream(error.toByteArray()));
      while (xml.hasNext()) {
        if (xml.next() == XMLStreamReader.START_ELEMENT && xml.getLocalName().equals(name)) {
          return xml.getElementText();
        }
      }
    } catch (XMLStreamException notXml) {
      return "";
    }
    return "";
  }
}
