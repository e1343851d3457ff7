package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** README, docs and changelog name only flags, variables, scripts and pages that exist, and README leads to every page. */
class DocumentationTest {
    private static final Path ROOT = Script.repository();
    private static final Pattern FLAG = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]+");
    private static final Pattern VARIABLE = Pattern.compile("\\b(?:DPSERVE|SGLANG)_[A-Z][A-Z0-9_]+\\b");
    private static final Pattern SCRIPT = Pattern.compile("\\bscripts/[\\w/-]+\\.(?:sh|py|mjs)\\b");
    private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#]+)(?:#[^)]*)?\\)");

    /** Read by SGLang's own processes alone. */
    private static final Set<String> FOREIGN_FLAGS = Set.of("--from-file", "--from-literal"); // kubectl's

    private static final Set<String> FOREIGN_VARIABLES = Set.of("SGLANG_USE_PICKLE_IPC");

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(docs());
        for (String page : List.of("README.md", "CHANGELOG.md", "deploy/kubernetes/README.md")) {
            pages.add(ROOT.resolve(page));
        }
        return pages;
    }

    private static List<Path> docs() throws IOException {
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            return docs.filter(page -> page.toString().endsWith(".md")).sorted().toList();
        }
    }

    private static String sources() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> modules = Files.list(ROOT)) {
            for (Path module : modules.toList()) {
                append(module.resolve("src/main/java"), all);
            }
        }
        append(ROOT.resolve("scripts"), all);
        append(ROOT.resolve("interop"), all);
        return all.toString();
    }

    private static void append(Path folder, StringBuilder to) throws IOException {
        if (Files.isDirectory(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.filter(DocumentationTest::isText).toList()) {
                    to.append(Files.readString(file)).append('\n');
                }
            }
        }
    }

    private static boolean isText(Path file) {
        return file.getFileName().toString().matches(".*\\.(java|sh|py|mjs|tsv)");
    }

    private static Set<String> all(Pattern pattern, String text) {
        Set<String> found = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(matcher.groupCount()));
        }
        return found;
    }

    @Test
    void shouldNameNoFlagOrVariableThatDoesNotExist() throws IOException {
        String sources = sources();
        Set<String> flags = all(FLAG, sources);
        flags.addAll(FOREIGN_FLAGS);
        Set<String> variables = all(VARIABLE, sources);
        variables.addAll(FOREIGN_VARIABLES);
        for (Path page : pages()) {
            String text = Files.readString(page);
            assertThat(flags).as(page.toString()).containsAll(all(FLAG, text));
            assertThat(variables).as(page.toString()).containsAll(all(VARIABLE, text));
        }
    }

    @Test
    void shouldNameNoScriptOrPageThatDoesNotExist() throws IOException {
        for (Path page : pages()) {
            String text = Files.readString(page);
            for (String script : all(SCRIPT, text)) {
                assertThat(ROOT.resolve(script)).as("named in " + page).exists();
            }
            for (String link : all(LINK, text)) {
                assertThat(page.resolveSibling(link)).as("linked from " + page).exists();
            }
        }
    }

    @Test
    void shouldLeadFromTheFirstPageToEveryOther() throws IOException {
        Set<String> linked = all(LINK, Files.readString(ROOT.resolve("README.md")));
        for (Path page : docs()) {
            assertThat(linked).contains("docs/" + page.getFileName());
        }
    }
}
