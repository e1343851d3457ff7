package dpserve.bench.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopTableTest {
    private static final int TALL = 40;
    private static final String RANK =
            "{'dp_rank':%d,'state':'up','in_flight_reqs':10,'unseen_reqs':2,'load_age_s':0.052,"
                    + "'num_running_reqs':9,'num_waiting_reqs':1,'token_usage':0.125,'gen_throughput':207.4,'cache_hit_rate':0.875}";

    private final TopTable table = new TopTable(ZoneOffset.UTC);

    private static JsonNode event(int ranks, String decisions) throws Exception {
        String rows = IntStream.range(0, ranks).mapToObj(RANK::formatted).collect(Collectors.joining(","));
        String text = "{'at':3661.5,'model':'m','load_balance_method':'least_requests','load_report':'piggyback',"
                + "'totals':{'in_flight_reqs':20,'balance_ratio':null},'ranks':[" + rows + "],'decisions':[" + decisions
                + "],'unanswered':['rank 7']}";
        return new ObjectMapper().readTree(text.replace('\'', '"'));
    }

    private static String decision(String rid) {
        return "{'at':3661.5,'dp_rank':1,'load_balance_method':'x','reason':'score 2, others 3','rid':'" + rid + "'}";
    }

    @Test
    void shouldDrawATable() throws Exception {
        List<String> lines = table.table(event(2, decision("mine")), TALL);
        assertThat(lines.get(0)).isEqualTo("dpserve m  01:01:01  least_requests, loads by piggyback");
        assertThat(lines.get(1)).startsWith("in flight 20  running -").endsWith("balance -");
        assertThat(lines.get(2)).isEqualTo("no answer from rank 7");
        assertThat(lines.get(4))
                .isEqualTo("   0  up               10        9       1   12.5 %   87.5 %       207     52 ms       2");
        assertThat(lines.get(4)).hasSameSizeAs(lines.get(3));
        assertThat(lines).last().isEqualTo("01:01:01  rank 1  x: score 2, others 3  mine");
    }

    @Test
    void shouldFitTheTerminal() throws Exception {
        List<String> lines = table.table(event(30, decision("a") + "," + decision("b")), 20);
        assertThat(lines).hasSizeLessThan(20).last().isEqualTo("      and 17 more ranks");
        assertThat(table.table(event(12, decision("a") + "," + decision("b")), 20))
                .hasSizeLessThan(20)
                .last()
                .asString()
                .endsWith("  a");
    }

    @Test
    void shouldKeepControlCharactersOfARidOffTheTerminal() throws Exception {
        assertThat(table.table(event(1, decision("a\\u001b[2J\\u009bb")), TALL))
                .last()
                .asString()
                .endsWith("  a?[2J?b");
    }

    @Test
    void shouldWriteLinesForPrograms() throws Exception {
        List<String> lines = table.lines(event(2, ""));
        assertThat(lines).hasSize(3);
        assertThat(lines.get(0)).isEqualTo("1970-01-01T01:01:01.500Z topology in_flight_reqs=20");
        assertThat(lines.get(2))
                .startsWith("1970-01-01T01:01:01.500Z dp_rank=1 state=up in_flight_reqs=10 unseen_reqs=2");
    }
}
