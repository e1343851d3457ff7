package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.process.DataParallelControllerMain;
import dpserve.detokenizer.process.DetokenizerMain;
import dpserve.scheduler.process.SchedulerMain;
import dpserve.tokenizer.process.TokenizerManagerMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The table of flags that launch.sh reads is exactly what the processes declare. After a change of flags run
 * {@code scripts/dev/update-flags.sh}.
 */
class FlagTableTest {
    private static final Path TABLE = Script.repository().resolve("scripts/lib/flags.tsv");
    private static final String HEADER =
            "# Flags of the processes, for launch.sh. Written by scripts/dev/update-flags.sh.\n"
                    + "# names\tprocesses\tvalue (- for a switch)\tdefault (- for none)\tdescription\n";

    /** What launch.sh gives to each process by itself, or what means one process alone. */
    static final Set<String> NOT_FORWARDED = Set.of(
            "--help", "--version", "--dp-rank", "--tokenizer-worker-index", "--detokenizer-index", "--input-endpoint");

    /** A flag with all that take it. */
    static final class Row {
        final OptionSpec option;
        final List<String> roles = new ArrayList<>();

        Row(OptionSpec option) {
            this.option = option;
        }

        String line() {
            String value = value();
            String defaultValue = option.defaultValue() == null || value.equals("-") ? "-" : option.defaultValue();
            return String.join(
                    "\t",
                    String.join(",", option.names()),
                    String.join(",", roles),
                    value,
                    defaultValue,
                    String.join(" ", option.description()));
        }

        /** The label of its value, or - for a switch. */
        String value() {
            return option.arity().max() == 0 ? "-" : label(option.paramLabel());
        }
    }

    /** picocli makes {@code <fieldName>} of a field without label: then FIELD_NAME. */
    private static String label(String declared) {
        if (!declared.startsWith("<")) {
            return declared;
        }
        String name = declared.substring(1, declared.length() - 1);
        return name.replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
    }

    private static Map<String, Row> rows() {
        return rows(name -> !NOT_FORWARDED.contains(name));
    }

    /** The flags with such names, by their first name. */
    static Map<String, Row> rows(Predicate<String> wanted) {
        Map<String, Object> commands = new LinkedHashMap<>();
        commands.put("tokenizer", new TokenizerManagerMain());
        commands.put("controller", new DataParallelControllerMain());
        commands.put("scheduler", new SchedulerMain());
        commands.put("detokenizer", new DetokenizerMain());
        Map<String, Row> rows = new LinkedHashMap<>();
        commands.forEach((role, command) -> {
            for (OptionSpec option : new CommandLine(command).getCommandSpec().options()) {
                if (wanted.test(option.longestName())) {
                    rows.computeIfAbsent(option.names()[0], name -> new Row(option))
                            .roles
                            .add(role);
                }
            }
        });
        return rows;
    }

    @Test
    void shouldListTheFlagsThatTheProcessesDeclare() throws IOException {
        StringBuilder text = new StringBuilder(HEADER);
        rows().values().forEach(row -> text.append(row.line()).append('\n'));
        if (Boolean.getBoolean("flags.update")) {
            Files.writeString(TABLE, text);
        }
        assertThat(TABLE).as("update it with scripts/dev/update-flags.sh").hasContent(text.toString());
    }

    @Test
    void shouldHaveOneDefaultForAllProcessesThatTakeAFlag() {
        Map<String, Row> rows = rows();
        for (Object command : List.of(
                new TokenizerManagerMain(),
                new DataParallelControllerMain(),
                new SchedulerMain(),
                new DetokenizerMain())) {
            for (OptionSpec option : new CommandLine(command).getCommandSpec().options()) {
                Row row = rows.get(option.names()[0]);
                if (row != null) {
                    assertThat(option.defaultValue()).as(option.names()[0]).isEqualTo(row.option.defaultValue());
                    assertThat(option.names()).isEqualTo(row.option.names());
                }
            }
        }
    }
}
