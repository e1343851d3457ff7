package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Platform;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LlamaStructsTest {
    private static final int ROOM = 512;

    @Test
    void shouldHaveTheSizesOfTheCompiledStructs() {
        assertThat(new LlamaStructs.ModelParams().size()).isEqualTo(64);
        assertThat(new LlamaStructs.ContextParams().size()).isEqualTo(120);
        assertThat(new LlamaStructs.Batch().size()).isEqualTo(56);
    }

    /** On x86-64 a large struct is returned through a hidden first argument: how far the library writes is its size. */
    @ParameterizedTest
    @CsvSource({"llama_model_default_params, 64", "llama_context_default_params, 120"})
    void shouldCoverAllThatTheLibraryWrites(String name, int size) {
        assumeTrue(Platform.isLinux() && Platform.isIntel() && Platform.is64Bit(), "another calling convention");
        Function function = TestModel.library().nativeLibrary().getFunction(name);

        assertThat(Math.max(written(function, 0x5a), written(function, 0xa5))).isEqualTo(size);
    }

    private static int written(Function function, int pattern) {
        try (Memory memory = new Memory(ROOM)) {
            memory.setMemory(0, ROOM, (byte) pattern);
            function.invokeVoid(new Object[] {memory});
            int end = ROOM;
            while (end > 0 && memory.getByte(end - 1) == (byte) pattern) {
                end--;
            }
            return end;
        }
    }

    @Test
    void shouldReadTheLibrarysDefaults() {
        LlamaStructs.ContextParams context = TestModel.library().llama_context_default_params();

        assertThat(context.n_threads).isEqualTo(4);
        assertThat(context.rope_scaling_type).isEqualTo(-1);
        assertThat(context.pooling_type).isEqualTo(-1);
        assertThat(context.yarn_attn_factor).isEqualTo(1f);
        assertThat(context.yarn_beta_slow).isEqualTo(1f);
        assertThat(TestModel.library().systemInfo()).contains("CPU");
    }

    @Test
    void shouldRefuseALibraryWithOtherLayouts() {
        assertThatCode(() -> checkAfter(c -> {})).doesNotThrowAnyException();
        assertThatThrownBy(() -> checkAfter(c -> c.type_k = 0))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("context parameters differ");
    }

    private static void checkAfter(Consumer<LlamaStructs.ContextParams> change) {
        LlamaStructs.ContextParams context = TestModel.library().llama_context_default_params();
        change.accept(context);
        LlamaStructs.check(TestModel.library().llama_model_default_params(), context);
    }
}
