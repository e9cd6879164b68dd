package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Payload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.AsyncRequestBody;

/**
 * A payload as a request's body: files, and what is made, are read in chunks as the connection asks
 * for them, on the executor for blocking work; buffers go as they are. May be subscribed to again.
 */
final class PayloadBody implements AsyncRequestBody {
  private static final int CHUNK_BYTES = 128 << 10;

  private final Payload payload;
  private final Executor blocking;

  PayloadBody(Payload payload, Executor blocking) {
    this.payload = payload;
    this.blocking = blocking;
  }

  @Override
  public Optional<Long> contentLength() {
    return Optional.of(payload.lengthBytes());
  }

  @Override
  public void subscribe(Subscriber<? super ByteBuffer> subscriber) {
    subscriber.onSubscribe(new Reading(subscriber));
  }

  /**
   * One pass over the payload. At most one task at a time reads and signals: {@code running} is set
   * by whoever starts it and cleared, with no demand left, by the task itself.
   */
  private final class Reading implements Subscription {
    private final Subscriber<? super ByteBuffer> subscriber;
    private final Iterator<Payload.Part> parts = payload.parts().iterator();
    private Payload.@Nullable Streamed range;
    private @Nullable ReadableByteChannel file;
    private long doneBytes;
    private long demand;
    private boolean running;
    private boolean ended;

    Reading(Subscriber<? super ByteBuffer> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public void request(long count) {
      synchronized (this) {
        demand = demand + count < 0 ? Long.MAX_VALUE : demand + count;
        if (running || ended) {
          return;
        }
        running = true;
      }
      start();
    }

    @Override
    public void cancel() {
      boolean mine;
      synchronized (this) {
        ended = true;
        mine = !running;
      }
      if (mine) {
        closeFile();
      }
    }

    private void start() {
      try {
        blocking.execute(this::signalWhileAsked);
      } catch (RejectedExecutionException e) {
        end(e);
      }
    }

    private void signalWhileAsked() {
      try {
        while (mayGoOn()) {
          ByteBuffer chunk = nextChunk();
          if (chunk == null) {
            end(null);
            return;
          }
          subscriber.onNext(chunk);
        }
      } catch (IOException | RuntimeException e) {
        end(e);
      }
    }

    private boolean mayGoOn() {
      synchronized (this) {
        if (!ended && demand > 0) {
          demand--;
          return true;
        }
        running = false;
        if (!ended) {
          return false;
        }
      }
      closeFile();
      return false;
    }

    private void end(@Nullable Throwable thrown) {
      closeFile();
      synchronized (this) {
        running = false;
        if (ended) {
          return;
        }
        ended = true;
      }
      if (thrown == null) {
        subscriber.onComplete();
      } else {
        subscriber.onError(thrown);
      }
    }

    /** Null at the end. */
    private @Nullable ByteBuffer nextChunk() throws IOException {
      while (true) {
        ReadableByteChannel open = file;
        Payload.Streamed current = range;
        if (open != null && current != null) {
          if (doneBytes < current.lengthBytes()) {
            return readChunk(open, current);
          }
          closeFile();
        }
        if (!parts.hasNext()) {
          return null;
        }
        Payload.Part part = parts.next();
        if (part instanceof Payload.Streamed next) {
          range = next;
          doneBytes = 0;
          file = next.open();
        } else if (part instanceof Payload.Bytes bytes && bytes.lengthBytes() > 0) {
          return bytes.buffer().asReadOnlyBuffer();
        }
      }
    }

    private ByteBuffer readChunk(ReadableByteChannel open, Payload.Streamed current)
        throws IOException {
      int want = (int) Math.min(CHUNK_BYTES, current.lengthBytes() - doneBytes);
      ByteBuffer chunk = ByteBuffer.allocate(want);
      Payload.readFully(open, chunk);
      doneBytes += want;
      return chunk.flip();
    }

    private void closeFile() {
      ReadableByteChannel open = file;
      file = null;
      range = null;
      if (open != null) {
        try {
          open.close();
        } catch (IOException e) {
          // It was only read.
          return;
        }
      }
    }
  }
}
