package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;

/** One page of {@code /metrics}, in the Prometheus text format. */
record Metrics(List<String> samples) {

    static Metrics of(Api api) {
        Api.Reply reply = api.get("/metrics");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return new Metrics(
                reply.body().lines().filter(line -> !line.startsWith("#")).toList());
    }

    /** The sum over all label sets of one metric; 0 if it has no sample yet. */
    double sum(String name) {
        return samples.stream()
                .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    /** How many samples of a metric hold this label, such as {@code dp_rank="1"}. */
    long count(String name, String label) {
        return samples.stream()
                .filter(line -> line.startsWith(name + "{") && line.contains(label))
                .count();
    }
}
