package dpserve.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class TopologyArgsTest {
    @Command
    private static final class Holder {
        @Mixin
        final TopologyArgs args = new TopologyArgs();
    }

    private static TopologyArgs args(String... flags) {
        Holder holder = new Holder();
        new CommandLine(holder).parseArgs(flags);
        return holder.args;
    }

    @Test
    void shouldKeepZeroMqOnLoopbackWhereverHttpListens() {
        assertThat(args("--host", "0.0.0.0").endpoints().controller()).isEqualTo("tcp://127.0.0.1:30239");
    }

    @ParameterizedTest
    @CsvSource({
        "--zmq-host, 10.0.0.1, --tokenizer-pull-endpoints",
        "--zmq-host, 0.0.0.0, --tokenizer-pull-endpoints",
        "--zmq-host, 127.evil.example, --tokenizer-pull-endpoints",
        "--controller-endpoint, tcp://10.0.0.1:5000, --controller-endpoint",
        "--detokenizer-endpoints, tcp://db:5000, --detokenizer-endpoints",
        "--tokenizer-push-endpoints, tcp://*:5000, --tokenizer-push-endpoints"
    })
    void shouldRefuseEndpointsBeyondLoopbackUnlessTheyAreSecuredOrWanted(String flag, String value, String named) {
        assertThatThrownBy(() -> args(flag, value).endpoints())
                .hasMessageStartingWith(named)
                .hasMessageContaining("--curve-keys");
        args(flag, value, "--insecure-remote").endpoints();
        args(flag, value, "--curve-keys", "keys").endpoints();
    }
}
