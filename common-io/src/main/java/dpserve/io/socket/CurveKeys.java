package dpserve.io.socket;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;
import org.zeromq.ZCert;
import org.zeromq.ZConfig;
import org.zeromq.ZMQ;

/**
 * The CURVE key pair that all processes of a topology share: whoever holds its secret half belongs to it. The folder has
 * it in two files, in the format of ZeroMQ's certificates.
 *
 * @param folder where they lie; also the list of the public keys that may connect
 * @param publicKey 40 characters of Z85
 * @param secretKey 40 characters of Z85
 */
public record CurveKeys(Path folder, String publicKey, String secretKey) {
    private static final String PUBLIC_FILE = "topology.key";
    private static final String SECRET_FILE = "topology.key_secret";
    private static final int KEY_LENGTH = 40;

    /**
     * Reads the pair.
     *
     * @throws IllegalArgumentException naming {@code --curve-keys}, if it is not there, not a pair, or if others than its
     *     owner may read the secret half; without a word of what is in the file
     */
    public static CurveKeys load(Path folder) {
        Path secret = folder.resolve(SECRET_FILE);
        if (!Files.isReadable(secret) || !Files.isReadable(folder.resolve(PUBLIC_FILE))) {
            throw new IllegalArgumentException("--curve-keys: " + folder + " has no " + PUBLIC_FILE + " and "
                    + SECRET_FILE + " that this process can read (scripts/make-curve-keys.sh makes them)");
        }
        requirePrivate(secret);
        String publicKey = null;
        String secretKey = null;
        try {
            ZConfig config = ZConfig.load(secret.toString());
            publicKey = config.getValue("curve/public-key");
            secretKey = config.getValue("curve/secret-key");
        } catch (IOException | RuntimeException e) {
            // Told below: the reason could quote the file.
        }
        if (!isKey(publicKey) || !isKey(secretKey)) {
            throw new IllegalArgumentException("--curve-keys: " + secret + " is not a CURVE certificate");
        }
        return new CurveKeys(folder, publicKey, secretKey);
    }

    private static boolean isKey(String text) {
        return text != null && text.length() == KEY_LENGTH;
    }

    private static void requirePrivate(Path secret) {
        try {
            Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(secret);
            allowed.remove(PosixFilePermission.OWNER_READ);
            allowed.remove(PosixFilePermission.OWNER_WRITE);
            if (!allowed.isEmpty()) {
                throw new IllegalArgumentException("--curve-keys: others may read " + secret + "; run chmod 600 on it");
            }
        } catch (IOException | UnsupportedOperationException e) {
            throw new IllegalArgumentException("--curve-keys: cannot see who may read " + secret, e);
        }
    }

    /**
     * Makes a new pair. The folder is its owner's alone.
     *
     * @throws IOException if the files are there already or cannot be written
     */
    public static void create(Path folder) throws IOException {
        Files.createDirectories(folder);
        Set<PosixFilePermission> owner = Set.of(
                PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);
        Files.setPosixFilePermissions(folder, owner);
        Path secret = folder.resolve(SECRET_FILE);
        // Fails if there is one: peers that run could not talk to those that start.
        Files.createFile(secret);
        ZCert pair = new ZCert();
        pair.savePublic(folder.resolve(PUBLIC_FILE).toString());
        pair.saveSecret(secret.toString());
        Files.setPosixFilePermissions(secret, Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
    }

    /** A socket that will bind: it takes only peers that hold the same pair. */
    void asServer(ZMQ.Socket socket) {
        socket.setCurveServer(true);
        socket.setCurvePublicKey(bytes(publicKey));
        socket.setCurveSecretKey(bytes(secretKey));
    }

    /** A socket that will connect, to a peer that holds the same pair. */
    void asClient(ZMQ.Socket socket) {
        socket.setCurveServerKey(bytes(publicKey));
        socket.setCurvePublicKey(bytes(publicKey));
        socket.setCurveSecretKey(bytes(secretKey));
    }

    private static byte[] bytes(String key) {
        return ZMQ.Curve.z85Decode(key);
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return "CurveKeys[" + folder + "]";
    }
}
