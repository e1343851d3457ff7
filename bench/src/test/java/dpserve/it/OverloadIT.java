package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** scripts/dev/overload.sh in its short form; five minutes of it are run on demand. */
class OverloadIT {
    @Test
    void shouldRefuseAtOnceAndServeTheRestWhenTenTimesTooMuchComes() {
        Script script = Script.run("dev/overload.sh", "--no-build", "--seconds", "15");
        assertThat(script.exitStatus()).as(script.output()).isZero();
        assertThat(script.output()).contains("lost 0, wrong 0").containsPattern("refused [1-9]");
    }
}
