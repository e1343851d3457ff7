package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** scripts/chaos.sh in its short form, always with another seed, which it prints. */
class ChaosIT {
    @Test
    void shouldKeepItsPromisesWhateverDies() {
        Script script = Script.run("chaos.sh", "0.2", "--shape", "4x2", "--no-build");
        System.out.println(script.output());
        assertThat(script.exitStatus()).as(script.output()).isZero();
        assertThat(script.output()).contains("seed ").containsPattern("(?m)^all +[1-9]");
    }
}
