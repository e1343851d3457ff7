package dpserve.io.message;

/**
 * The controller names itself: first message on each fresh connection to a rank's input, and every second to each
 * tokenizer worker as a sign of life.
 *
 * @param epoch higher than any before; a change means that the controller was restarted
 * @param protocolVersion {@link Hello#PROTOCOL_VERSION}
 */
public record ControllerHello(long epoch, int protocolVersion) implements Message {}
