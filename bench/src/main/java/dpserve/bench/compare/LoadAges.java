package dpserve.bench.compare;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.msgpack.core.MessageInsufficientBufferException;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

/** How old the load was that each decision went by: the newest report of the chosen rank, since it was sampled. */
final class LoadAges {
    private LoadAges() {}

    /**
     * Reads a decision record ({@code controller --decision-log}).
     *
     * @param fromS epoch seconds; earlier decisions belong to the warm-up
     * @return modelled milliseconds, one for each decision on a rank that had reported
     */
    static double[] read(Path file, double timeScale, double fromS) throws IOException {
        double[] ages = new double[1024];
        int count = 0;
        try (MessageUnpacker in = MessagePack.newDefaultUnpacker(Files.newInputStream(file))) {
            DecisionCodec codec = new DecisionCodec();
            DecisionCodec.readHeader(in);
            while (in.hasNext()) {
                if (codec.read(in).entry() instanceof DecisionEntry.Decided d
                        && d.atS() >= fromS
                        && d.chosen() >= 0
                        && d.agesMs()[d.chosen()] >= 0) {
                    ages = count == ages.length ? Arrays.copyOf(ages, 2 * count) : ages;
                    ages[count++] = d.agesMs()[d.chosen()] / timeScale;
                }
            }
        } catch (MessageInsufficientBufferException e) {
            // The controller was stopped in the middle of its last entry.
        }
        return Arrays.copyOf(ages, count);
    }
}
