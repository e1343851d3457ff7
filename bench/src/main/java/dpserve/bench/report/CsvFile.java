package dpserve.bench.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A table as RFC 4180 has it: a header, comma separated, quoted where needed, numbers with a point. */
public final class CsvFile {
    private final int columns;
    private final StringBuilder text = new StringBuilder();

    public CsvFile(List<String> header) {
        columns = header.size();
        line(header.stream());
    }

    /**
     * One line; null is an empty cell.
     *
     * @throws IllegalArgumentException if the row has not as many cells as the header
     */
    public CsvFile row(Object... cells) {
        if (cells.length != columns) {
            throw new IllegalArgumentException(
                    "a row of " + cells.length + " cells in a file of " + columns + " columns");
        }
        line(Stream.of(cells).map(cell -> cell == null ? "" : cell.toString()));
        return this;
    }

    private void line(Stream<String> cells) {
        text.append(cells.map(CsvFile::quoted).collect(Collectors.joining(","))).append("\r\n");
    }

    private static String quoted(String cell) {
        return cell.matches("(?s).*[\",\r\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
    }

    /** The whole file. */
    public String text() {
        return text.toString();
    }

    /** Writes the file, making the folder if need be. */
    public void write(Path file) throws IOException {
        if (file.toAbsolutePath().getParent() != null) {
            Files.createDirectories(file.toAbsolutePath().getParent());
        }
        Files.writeString(file, text());
    }
}
