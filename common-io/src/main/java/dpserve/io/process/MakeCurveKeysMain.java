package dpserve.io.process;

import dpserve.io.socket.CurveKeys;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The work of scripts/make-curve-keys.sh. */
@Command(name = "make-curve-keys", description = "Called by scripts/make-curve-keys.sh.")
public final class MakeCurveKeysMain implements Callable<Integer> {
    @Parameters(paramLabel = "FOLDER")
    Path folder;

    public static void main(String[] args) {
        CommandRunner.run(new MakeCurveKeysMain(), args);
    }

    @Override
    public Integer call() throws IOException {
        try {
            CurveKeys.create(folder);
        } catch (FileAlreadyExistsException e) {
            throw new IllegalArgumentException(folder + " has keys already: use them, or another folder", e);
        }
        System.out.println("keys for --curve-keys are in " + folder);
        return 0;
    }
}
