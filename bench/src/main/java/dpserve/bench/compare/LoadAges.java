package dpserve.bench.compare;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.DoubleStream;
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
        DoubleStream.Builder ages = DoubleStream.builder();
        try (MessageUnpacker in = MessagePack.newDefaultUnpacker(Files.newInputStream(file))) {
            DecisionCodec codec = new DecisionCodec();
            DecisionCodec.readHeader(in);
            for (DecisionCodec.Numbered read = codec.read(in); read != null; read = codec.read(in)) {
                if (read.entry() instanceof DecisionEntry.Decided d
                        && d.atS() >= fromS
                        && d.chosen() >= 0
                        && d.agesMs()[d.chosen()] >= 0) {
                    ages.add(d.agesMs()[d.chosen()] / timeScale);
                }
            }
        }
        return ages.build().toArray();
    }
}
