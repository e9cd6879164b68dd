package io.strandline.broker.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** Who is served, and who hears that nobody is any more. */
class FetchListTest {
  private static final TopicIdPartition ID = new TopicIdPartition(new Uuid(1, 2), 0, "orders");

  @Test
  void whatIsClosedTakesNobody() {
    FetchList list = new FetchList();
    assertThat(list.add(replica(), 1)).isTrue();
    assertThat(list.has(ID)).isTrue();
    list.close();
    assertThat(list.add(replica(), 2)).isFalse();
    assertThat(list.has(ID)).isFalse();
  }

  private static FollowedReplica replica() {
    return (FollowedReplica)
        Proxy.newProxyInstance(
            FollowedReplica.class.getClassLoader(),
            new Class<?>[] {FollowedReplica.class},
            (self, method, arguments) -> ID);
  }
}
