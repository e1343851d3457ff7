package dpserve.bench.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Who has the other end of a TCP connection on this host, as Linux tells in /proc. */
final class SocketOwners {
    private static final int LOCAL = 1;
    private static final int REMOTE = 2;
    private static final int INODE = 9;

    /** Of a connection that no process has accepted yet. */
    private static final String NOBODY = "0";

    private SocketOwners() {}

    /**
     * The client ports of the connections to a server's port that a process has, and of those that nobody has accepted yet:
     * several processes may listen there, and these may be in the queue of any.
     */
    static Set<Integer> clientPorts(long pid, int serverPort) throws IOException {
        Set<String> own = inodes(pid);
        own.add(NOBODY);
        Set<Integer> ports = new HashSet<>();
        for (String table : List.of("tcp", "tcp6")) {
            for (String line : Files.readAllLines(Path.of("/proc/net", table))) {
                String[] f = line.strip().split("\\s+");
                if (f[LOCAL].contains(":") && port(f[LOCAL]) == serverPort && own.contains(f[INODE])) {
                    ports.add(port(f[REMOTE]));
                }
            }
        }
        return ports;
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(':') + 1), 16);
    }

    private static Set<String> inodes(long pid) throws IOException {
        Set<String> inodes = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
            for (Path file : files) {
                String target = Files.readSymbolicLink(file).toString();
                if (target.startsWith("socket:[")) {
                    inodes.add(target.substring("socket:[".length(), target.length() - 1));
                }
            }
        }
        return inodes;
    }
}
