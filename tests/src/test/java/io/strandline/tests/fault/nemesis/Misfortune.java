package io.strandline.tests.fault.nemesis;

import io.strandline.tests.cluster.wires.Plane;
import io.strandline.tests.cluster.wires.Wires;
import io.strandline.tests.fault.Waiting;
import java.time.Duration;

/** What befalls one node of three for a while; when it is over, nothing of it is left. */
enum Misfortune {
  KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.node(node).kill();
      scene.pass(0, 6_000);
      scene.node(node).startAgain();
    }
  },
  /** Its session is over when it goes on, or not. */
  PAUSED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.node(node).pause();
      scene.pass(500, 9_000);
      scene.node(node).resume();
    }
  },
  STOPPED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.node(node).stop();
      scene.node(node).startAgain();
    }
  },
  ROLLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      for (int each : scene.nodes()) {
        scene.node(each).stop();
        scene.node(each).startAgain();
        scene.awaitWhole();
      }
    }
  },
  /** A leader that does not hear of its deposition, and still has followers and clients. */
  WITHOUT_CONTROLLERS {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().holdBoth(node, other, Plane.CONTROLLER));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  /** Its followers fall out of sync, and it falls out where it follows. */
  WITHOUT_PEERS {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().holdBoth(node, other, Plane.BROKERS));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  /** Clients alone reach it. */
  ISOLATED {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().holdBoth(node, other));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  UNREACHABLE {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().holdBoth(node, other));
      scene.wires().holdBoth(Wires.CLIENTS, node, Plane.PLAINTEXT);
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  /** It speaks and is heard; nobody's word reaches it. */
  DEAF {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().hold(other, node));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  MUTE {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().hold(node, other));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  /** Two see the third and not each other. */
  BRIDGE {
    @Override
    void befall(Scene scene, int node) {
      scene.wires().holdBoth(scene.others(node).get(0), scene.others(node).get(1));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  /** One direction of one pair. */
  ONE_WAY {
    @Override
    void befall(Scene scene, int node) {
      scene.wires().hold(node, scene.other(node));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  RESET {
    @Override
    void befall(Scene scene, int node) {
      scene.others(node).forEach(other -> scene.wires().cut(node, other));
      scene.pass(1_000, 9_000);
      scene.wires().heal();
    }
  },
  SLOW_NETWORK {
    @Override
    void befall(Scene scene, int node) {
      for (int other : scene.others(node)) {
        Duration by = Duration.ofMillis(scene.between(10, 400));
        scene.wires().delay(node, other, by);
        scene.wires().delay(other, node, by);
      }
      scene.pass(3_000, 9_000);
      scene.wires().heal();
    }
  },
  ACTIVE_CONTROLLER_ALONE {
    @Override
    void befall(Scene scene, int node) throws Exception {
      WITHOUT_CONTROLLERS.befall(scene, scene.activeController());
    }
  },
  ACTIVE_CONTROLLER_KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      KILLED.befall(scene, scene.activeController());
    }
  },
  /** One cannot speak to its controllers, and another dies meanwhile. */
  CUT_AND_KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      int other = scene.other(node);
      scene.others(node).forEach(each -> scene.wires().holdBoth(node, each, Plane.CONTROLLER));
      scene.pass(0, 5_000);
      scene.node(other).kill();
      scene.pass(0, 5_000);
      scene.wires().heal();
      scene.node(other).startAgain();
    }
  },
  /** All followers' copies stand still, then the leaders of a third of all die. */
  CUT_THEN_KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.others(node).forEach(each -> scene.wires().holdBoth(node, each, Plane.BROKERS));
      scene.pass(0, 8_000);
      scene.node(node).kill();
      scene.wires().heal();
      scene.pass(0, 5_000);
      scene.node(node).startAgain();
    }
  },
  ALL_KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      for (int each : scene.nodes()) {
        scene.node(each).kill();
      }
      for (int each : scene.nodes()) {
        scene.node(each).launchAgain();
      }
      for (int each : scene.nodes()) {
        scene.node(each).awaitReady();
      }
    }
  },
  CLOCK_AHEAD {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.clock(node).skew(Duration.ofSeconds(scene.between(10, 36_000)));
      scene.pass(2_000, 9_000);
      scene.clock(node).skew(Duration.ZERO);
    }
  },
  CLOCK_BEHIND {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.clock(node).skew(Duration.ofSeconds(-scene.between(10, 36_000)));
      scene.pass(2_000, 9_000);
      scene.clock(node).skew(Duration.ZERO);
    }
  },
  /** What it waits for by its clock is hours away when its connections are to be made anew. */
  RESET_AND_CLOCK_BEHIND {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.others(node).forEach(other -> scene.wires().cut(node, other));
      scene.pass(500, 5_000);
      scene.clock(node).skew(Duration.ofSeconds(-scene.between(10, 36_000)));
      scene.wires().heal();
      scene.pass(5_000, 9_000); // whoever does not come back is out by then
      scene.awaitWhole();
      scene.clock(node).skew(Duration.ZERO);
    }
  },
  /** It dies where its clock is wrong, and comes back where it is right, or the other way round. */
  CLOCK_WRONG_AND_KILLED {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.clock(node).skew(Duration.ofSeconds(scene.between(-36_000, 36_000)));
      scene.pass(1_000, 5_000);
      scene.node(node).kill();
      scene.node(node).startAgain();
      scene.pass(1_000, 5_000);
      scene.clock(node).skew(Duration.ZERO);
      scene.node(node).kill();
      scene.node(node).startAgain();
    }
  },
  /** Only one that is not the last in sync may lose it: all are in sync before. */
  DISK_LOST {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.node(node).kill();
      scene.loseDisk(node);
      scene.node(node).startAgain();
    }
  },
  DISK_FULL {
    @Override
    void befall(Scene scene, int node) throws Exception {
      scene.disk(node).fill(0);
      Waiting.until("that it is noticed", () -> scene.node(node).admin("/healthz").status() == 503);
      scene.pass(0, 5_000);
      scene.node(node).kill();
      scene.disk(node).free();
      scene.node(node).startAgain();
    }
  };

  abstract void befall(Scene scene, int node) throws Exception;
}
