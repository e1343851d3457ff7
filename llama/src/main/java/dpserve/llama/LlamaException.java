package dpserve.llama;

/** llama.cpp refused or failed; the message ends with what it logged about it, if anything. */
public final class LlamaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    LlamaException(String message, Throwable cause) {
        super(message, cause);
    }

    LlamaException(String message) {
        super(message);
    }
}
