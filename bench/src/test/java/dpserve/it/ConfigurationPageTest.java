package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/configuration.md holds every flag of the processes and the launcher as they are declared, and every environment
 * variable that the sources name. After a change of flags run {@code scripts/dev/update-flags.sh}.
 */
class ConfigurationPageTest {
    private static final Path ROOT = Script.repository();
    private static final Path PAGE = ROOT.resolve("docs/configuration.md");
    private static final Pattern DEFAULT = Pattern.compile(" \\(default: (.*)\\)\\.?");
    private static final Pattern VARIABLE = Pattern.compile("\\b(?:DPSERVE|SGLANG)_[A-Z][A-Z0-9_]+\\b");
    private static final Pattern DOCUMENTED = Pattern.compile("^\\| `([A-Z][A-Z0-9_]+)`", Pattern.MULTILINE);
    private static final Pattern LAUNCHER_FLAG = Pattern.compile("^  \"(--[^\"]+)\"$", Pattern.MULTILINE);

    private static final int PROCESSES = 4;

    /** Names within the sources that are no variables for users. */
    private static final Set<String> INTERNAL = Set.of(
            "DPSERVE_LAUNCH_DETACHED", "DPSERVE_TEST_URL", "DPSERVE_TEST_TOKENIZER", "SGLANG_VENV", "SGLANG_NATIVE");

    /** Programs that are not this project's own read them. */
    private static final Set<String> FOREIGN =
            Set.of("DJL_CACHE_DIR", "JAVA_HOME", "JAVA25_HOME", "OPENAI_API_KEY", "API_KEY");

    private static String sectionOf(String page, String name) {
        Matcher section = pattern(name).matcher(page);
        assertThat(section.find()).as("section " + name).isTrue();
        return section.group(2);
    }

    private static Pattern pattern(String name) {
        return Pattern.compile("(<!-- " + name + " -->\n)(.*?)(<!-- end -->\n)", Pattern.DOTALL);
    }

    private static Map<String, String> counterparts() throws IOException {
        Map<String, String> found = new LinkedHashMap<>();
        try (var in = ConfigurationPageTest.class.getResourceAsStream("sglang-counterparts.tsv")) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (!line.startsWith("#")) {
                    String[] cells = line.split("\t");
                    found.put(cells[0], cells[1]);
                }
            }
        }
        return found;
    }

    private static String flags(Map<String, FlagTableTest.Row> rows, Map<String, String> counterparts) {
        StringBuilder text =
                new StringBuilder("| flag | of | default | sglang 0.5.23 | what |\n| --- | --- | --- | --- | --- |\n");
        rows.forEach((first, row) -> {
            String value = row.value().equals("-") ? "" : " " + row.value();
            String what = String.join(" ", row.option.description()).replaceAll("\\s+", " ");
            Matcher stated = DEFAULT.matcher(what);
            String defaultValue = row.value().equals("-") ? "off" : row.option.defaultValue();
            if (stated.find()) {
                defaultValue = row.value().equals("-") ? defaultValue : stated.group(1);
                what = stated.replaceFirst(".").replace("..", ".");
            }
            cells(
                    text,
                    "`" + String.join("`, `", row.option.names()) + value + "`",
                    row.roles.size() == PROCESSES ? "all" : String.join(", ", row.roles),
                    defaultValue == null ? "none" : defaultValue,
                    counterparts.getOrDefault(first, "–"),
                    what);
        });
        return text.toString();
    }

    private static void cells(StringBuilder text, String... cells) {
        text.append('|');
        for (String cell : cells) {
            text.append(' ').append(cell.replace("|", "\\|")).append(" |");
        }
        text.append('\n');
    }

    private static String launcherFlags() throws IOException {
        StringBuilder text = new StringBuilder("| flag | default | what |\n| --- | --- | --- |\n");
        Matcher flag = LAUNCHER_FLAG.matcher(Files.readString(ROOT.resolve("scripts/lib/flags.sh")));
        while (flag.find()) {
            String[] parts = flag.group(1).split("\\|");
            String value = parts[1].equals("-") ? "" : " " + parts[1];
            cells(text, "`" + parts[0] + value + "`", parts[2].equals("-") ? "–" : parts[2], parts[3]);
        }
        return text.toString();
    }

    private static Set<String> variablesOfTheSources() throws IOException {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> files = Files.walk(ROOT)) {
            for (Path file : files.filter(ConfigurationPageTest::isSource).toList()) {
                Matcher name = VARIABLE.matcher(Files.readString(file));
                while (name.find()) {
                    found.add(name.group());
                }
            }
        }
        return found;
    }

    private static boolean isSource(Path file) {
        String path = ROOT.relativize(file).toString().replace('\\', '/');
        return path.contains("/src/main/java/") && path.endsWith(".java") && !path.contains("/target/")
                || path.startsWith("scripts/") && path.endsWith(".sh");
    }

    @Test
    void shouldHoldEveryFlagAsItIsDeclared() throws IOException {
        Map<String, String> counterparts = counterparts();
        Map<String, FlagTableTest.Row> forwarded =
                FlagTableTest.rows(name -> !FlagTableTest.NOT_FORWARDED.contains(name));
        Map<String, FlagTableTest.Row> single = FlagTableTest.rows(name -> FlagTableTest.NOT_FORWARDED.contains(name)
                && !Set.of("--help", "--version").contains(name));
        assertThat(forwarded.keySet()).as("flags with a counterpart").containsAll(counterparts.keySet());
        Map<String, String> wanted = Map.of(
                "flags of the processes", flags(forwarded, counterparts),
                "flags of one process", flags(single, counterparts),
                "flags of the launcher", launcherFlags());
        String page = Files.readString(PAGE);
        if (Boolean.getBoolean("flags.update")) {
            for (Map.Entry<String, String> section : wanted.entrySet()) {
                page = pattern(section.getKey())
                        .matcher(page)
                        .replaceFirst("$1" + Matcher.quoteReplacement(section.getValue()) + "$3");
            }
            Files.writeString(PAGE, page);
        }
        for (Map.Entry<String, String> section : wanted.entrySet()) {
            assertThat(sectionOf(page, section.getKey()))
                    .as("update it with scripts/dev/update-flags.sh")
                    .isEqualTo(section.getValue());
        }
    }

    @Test
    void shouldHoldEveryVariableAndNoOther() throws IOException {
        Set<String> wanted = variablesOfTheSources();
        wanted.removeAll(INTERNAL);
        wanted.addAll(FOREIGN);
        Set<String> documented = new TreeSet<>();
        Matcher name = DOCUMENTED.matcher(Files.readString(PAGE));
        while (name.find()) {
            documented.add(name.group(1));
        }
        assertThat(documented).as("table of variables in docs/configuration.md").isEqualTo(wanted);
    }
}
