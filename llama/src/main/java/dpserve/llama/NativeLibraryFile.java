package dpserve.llama;

import com.sun.jna.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * llama.cpp for this platform as a file, copied out of the jar that carries it. The folder is private to the user and
 * new each time, so nobody else can put another library there; {@link #close} removes it again, which a loaded library
 * survives everywhere but on Windows, where the system clears its temporary files itself.
 */
final class NativeLibraryFile implements AutoCloseable {
    private static final String ROOT = "/de/kherud/llama/";

    private final Path file;

    private NativeLibraryFile(Path file) {
        this.file = file;
    }

    /**
     * @throws LlamaException if the jar has none for this platform, or it cannot be written
     */
    static NativeLibraryFile extract() {
        String resource = resource();
        try (InputStream in = NativeLibraryFile.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new LlamaException("no llama.cpp library for this platform on the class path: " + resource);
            }
            Path folder = Files.createTempDirectory("dpserve-llama");
            Path file = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
            Files.copy(in, file);
            return new NativeLibraryFile(file);
        } catch (IOException e) {
            throw new LlamaException("cannot write the llama.cpp library to a temporary folder", e);
        }
    }

    Path path() {
        return file;
    }

    @Override
    public void close() {
        if (Platform.isWindows()) {
            return;
        }
        try {
            Files.delete(file);
            Files.delete(file.getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String resource() {
        String arch = Platform.isARM() ? "aarch64" : "x86_64";
        if (Platform.isMac()) {
            return ROOT + "Mac/" + arch + "/libjllama.dylib";
        }
        if (Platform.isWindows()) {
            return ROOT + "Windows/" + arch + "/jllama.dll";
        }
        return ROOT + "Linux/" + arch + "/libjllama.so";
    }
}
