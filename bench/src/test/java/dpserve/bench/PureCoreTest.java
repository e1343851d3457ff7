package dpserve.bench;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Datasets, arrivals and metrics serve the simulator as they serve the client, so they know no HTTP and no time. */
class PureCoreTest {
    private static final String[] CORES = {"dpserve.bench.dataset", "dpserve.bench.load", "dpserve.bench.metrics"};

    private static final JavaClasses BENCH =
            new ClassFileImporter(List.of(new ImportOption.DoNotIncludeTests())).importPackages("dpserve.bench");

    @Test
    void shouldKeepHttpOutOfDatasetsArrivalsAndMetrics() {
        noClasses()
                .that()
                .resideInAnyPackage(CORES)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.netty..", "java.net..", "dpserve.bench.client", "java.util.concurrent..")
                .check(BENCH);
    }

    @Test
    void shouldKeepClocksOutOfThem() {
        noClasses()
                .that()
                .resideInAnyPackage(CORES)
                .should()
                .callMethodWhere(target(nameMatching("nanoTime|currentTimeMillis|now")))
                .check(BENCH);
    }
}
