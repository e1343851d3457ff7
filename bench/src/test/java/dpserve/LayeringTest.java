package dpserve;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Who may use whom and what: the modules' direction, and cores that neither touch the world nor know its time. */
class LayeringTest {
    private static final int MOST_LINES = 350;

    private static final String IO = "dpserve.io..";
    private static final String[] TOKENIZER = {"dpserve.tokenizer..", "dpserve.detokenizer.."};
    private static final String CONTROLLER = "dpserve.controller..";
    private static final String SCHEDULER = "dpserve.scheduler..";

    /** Sockets, threads and clocks live here and nowhere else. */
    private static final DescribedPredicate<JavaClass> PROCESSES =
            resideInAnyPackage("dpserve.*.process..", "dpserve.*.http..");

    private static final DescribedPredicate<JavaClass> CORES = resideInAnyPackage(
                    "dpserve.tokenizer..", "dpserve.detokenizer..", CONTROLLER, SCHEDULER)
            .and(DescribedPredicate.not(PROCESSES))
            .as("cores");

    private static final ArchRule CORES_TOUCH_NOTHING = noClasses()
            .that(CORES)
            .should()
            .dependOnClassesThat(resideInAnyPackage("org.zeromq..", "zmq..", "io.netty..", "java.net..")
                    .or(PROCESSES)
                    .or(resideInAnyPackage("dpserve.io.socket..", "dpserve.io.process..")));

    private static final ArchRule CORES_HAVE_NO_THREADS = noClasses()
            .that(CORES)
            .should()
            .dependOnClassesThat(assignableToAnyOf(Thread.class, Executor.class, Future.class, java.util.Timer.class));

    private static final ArchRule CORES_HAVE_NO_CLOCK = noClasses()
            .that(CORES)
            .should()
            .callMethodWhere(target(nameMatching("nanoTime|currentTimeMillis"))
                    .and(target(owner(nameMatching("java\\.lang\\.System"))))
                    .or(target(nameMatching("now|system.*|tick.*"))
                            .and(target(owner(nameMatching("java\\.time\\..*")))))
                    .as("that reads a clock"));

    private static final ArchRule CORES_HAVE_NO_RANDOMNESS = noClasses()
            .that(CORES)
            .should()
            .dependOnClassesThat(assignableToAnyOf(Random.class))
            .orShould()
            .callMethodWhere(target(nameMatching("random|randomUUID")));

    private static final JavaClasses ALL =
            new ClassFileImporter(List.of(new ImportOption.DoNotIncludeTests())).importPackages("dpserve");

    @Test
    void shouldSeeEveryModule() {
        assertThat(ALL.stream().map(JavaClass::getPackageName))
                .contains("dpserve.io", "dpserve.tokenizer", "dpserve.detokenizer", "dpserve.controller");
    }

    @Test
    void shouldKeepModulesOffEachOther() {
        noClasses()
                .that(resideInAPackage(IO))
                .should()
                .dependOnClassesThat(resideInAPackage("dpserve..").and(DescribedPredicate.not(resideInAPackage(IO))))
                .check(ALL);
        noClasses()
                .that(resideInAnyPackage(TOKENIZER))
                .should()
                .dependOnClassesThat(resideInAnyPackage(CONTROLLER, SCHEDULER, "dpserve.bench.."))
                .check(ALL);
        noClasses()
                .that(resideInAPackage(CONTROLLER))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "dpserve.tokenizer..", "dpserve.detokenizer..", SCHEDULER, "dpserve.bench.."))
                .check(ALL);
        noClasses()
                .that(resideInAPackage(SCHEDULER))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "dpserve.tokenizer..", "dpserve.detokenizer..", CONTROLLER, "dpserve.bench.."))
                .allowEmptyShould(true)
                .check(ALL);
        slices().matching("dpserve.(*)..").should().beFreeOfCycles().check(ALL);
    }

    @Test
    void shouldKeepCoresOffSocketsThreadsClocksAndRandomness() {
        CORES_TOUCH_NOTHING.check(ALL);
        CORES_HAVE_NO_THREADS.check(ALL);
        CORES_HAVE_NO_CLOCK.check(ALL);
        CORES_HAVE_NO_RANDOMNESS.check(ALL);
    }

    @Test
    void shouldLetOnlyProcessesAndTheSocketPackageTouchZeroMq() {
        classes()
                .that(resideInAPackage("dpserve..").and(touch("org.zeromq..", "zmq..")))
                .should()
                .resideInAnyPackage("dpserve.io.socket", "dpserve.*.process..")
                .check(ALL);
    }

    @Test
    void shouldNoticeACoreThatBreaksTheRules() {
        JavaClasses offender = new ClassFileImporter().importClasses(dpserve.controller.LayeringOffender.class);

        for (ArchRule rule :
                List.of(CORES_TOUCH_NOTHING, CORES_HAVE_NO_THREADS, CORES_HAVE_NO_CLOCK, CORES_HAVE_NO_RANDOMNESS)) {
            assertThatThrownBy(() -> rule.check(offender)).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void shouldKeepFilesShort() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            for (Path module : modules.map(m -> m.resolve("src/main/java"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(module)) {
                    files.filter(f -> f.toString().endsWith(".java")).forEach(sources::add);
                }
            }
        }
        List<String> tooLong = new ArrayList<>();
        for (Path source : sources) {
            long lines = Files.readAllLines(source).size();
            if (lines > MOST_LINES) {
                tooLong.add(source + ": " + lines);
            }
        }

        assertThat(sources).hasSizeGreaterThan(50);
        assertThat(tooLong).isEmpty();
    }

    private static DescribedPredicate<JavaClass> assignableToAnyOf(Class<?>... types) {
        DescribedPredicate<JavaClass> any = JavaClass.Predicates.assignableTo(types[0]);
        for (Class<?> type : types) {
            any = any.or(JavaClass.Predicates.assignableTo(type));
        }
        return any;
    }

    private static DescribedPredicate<JavaClass> touch(String... packages) {
        DescribedPredicate<JavaClass> there = resideInAnyPackage(packages);
        return DescribedPredicate.describe(
                "touch " + String.join(", ", packages),
                c -> c.getDirectDependenciesFromSelf().stream().anyMatch(d -> there.test(d.getTargetClass())));
    }
}
