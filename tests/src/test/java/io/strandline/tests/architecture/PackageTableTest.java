package io.strandline.tests.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Holds the package table, and who may touch which vendor's classes. */
class PackageTableTest {
  private static final JavaClasses PRODUCT =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages(
              "io.strandline.cache",
              "io.strandline.tiering",
              "io.strandline.replay",
              "io.strandline.broker",
              "io.strandline.tools");

  @Test
  void everyPackageHasARoomAndImportsOnlyWhatItMay() {
    classes()
        .that()
        .resideInAPackage("io.strandline..")
        .should(importOnlyWhatTheirRoomMay())
        .check(PRODUCT);
  }

  @Test
  void roomsFormNoCycle() {
    Map<String, Set<String>> imports = new TreeMap<>();
    for (JavaClass type : PRODUCT) {
      String room = Rooms.of(type.getPackageName()).orElseThrow();
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        Rooms.of(dependency.getTargetClass().getPackageName())
            .filter(other -> !other.equals(room))
            .ifPresent(other -> imports.computeIfAbsent(room, r -> new TreeSet<>()).add(other));
      }
    }
    assertThat(Rooms.cycle(imports)).isEmpty();
  }

  @Test
  void handlersOfOneConcernDoNotKnowThoseOfAnother() {
    slices()
        .matching("io.strandline.broker.request.(*)..")
        .should()
        .notDependOnEachOther()
        .allowEmptyShould(true)
        .check(PRODUCT);
  }

  @Test
  void theS3SdkLivesInOnePackage() {
    noClasses()
        .that(resideInAPackage("io.strandline..").and(notIn("io.strandline.tiering.store.s3..")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("software.amazon..")
        .check(PRODUCT);
  }

  @Test
  void raftAndControllerAreTouchedByControlAlone() {
    noClasses()
        .that(notIn("io.strandline.broker.control.."))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.kafka.raft..", "org.apache.kafka.controller..", "kafka..")
        .check(PRODUCT);
  }

  @Test
  void metadataImagesStayWhereTheyAreUnderstood() {
    noClasses()
        .that(
            notIn(
                "io.strandline.broker.control..",
                "io.strandline.broker.group..",
                "io.strandline.broker.coordinator..",
                "io.strandline.broker.share..",
                "io.strandline.broker.guard..",
                "io.strandline.broker.telemetry.."))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.kafka.image..", "org.apache.kafka.metadata..")
        .check(PRODUCT);
  }

  @Test
  void nettyEndsAtTheSockets() {
    noClasses()
        .that(
            notIn(
                "io.strandline.broker.socket..",
                "io.strandline.broker",
                "io.strandline.tiering.store.s3.receive.."))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.netty..")
        .check(PRODUCT);
  }

  @Test
  void namesSayWhatAThingIs() {
    noClasses()
        .should()
        .haveSimpleNameEndingWith("Util")
        .orShould()
        .haveSimpleNameEndingWith("Utils")
        .orShould()
        .haveSimpleNameEndingWith("Impl")
        .orShould()
        .haveSimpleNameEndingWith("Manager")
        .orShould()
        .haveSimpleNameEndingWith("Helper")
        .check(PRODUCT);
  }

  private static com.tngtech.archunit.base.DescribedPredicate<JavaClass> notIn(String... packages) {
    return com.tngtech.archunit.base.DescribedPredicate.not(resideInAnyPackage(packages));
  }

  private static ArchCondition<JavaClass> importOnlyWhatTheirRoomMay() {
    return new ArchCondition<>("import only what the package table lets their room import") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        String room = Rooms.of(type.getPackageName()).orElse(null);
        if (room == null) {
          events.add(
              SimpleConditionEvent.violated(
                  type, type.getName() + " lies in no room of the table"));
          return;
        }
        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
          Rooms.of(dependency.getTargetClass().getPackageName())
              .filter(other -> !Rooms.mayImport(room, other))
              .ifPresent(
                  other ->
                      events.add(
                          SimpleConditionEvent.violated(
                              dependency,
                              room
                                  + " may not import "
                                  + other
                                  + ": "
                                  + dependency.getDescription())));
        }
      }
    };
  }
}
