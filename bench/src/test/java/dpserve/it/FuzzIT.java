package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** scripts/fuzz.sh in its short form, always with another seed, which it prints. */
class FuzzIT {
    @Test
    void shouldGoOnServingWhateverComes() {
        Script script = Script.run("fuzz.sh", "--no-build", "--seconds", "20", "--http", "20000");
        assertThat(script.exitStatus()).as(script.output()).isZero();
        assertThat(script.output()).contains("seed ").contains("mutated frames").contains("mutated HTTP requests");
    }
}
