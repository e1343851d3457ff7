package dpserve.io.message;

/**
 * Ask every process for its state. A tokenizer worker sends it into its request stream; the controller answers for
 * itself and forwards it to each live rank and to every other tokenizer worker. Detokenizers get it directly.
 *
 * @param rid names the call; Java peers copy it into the answer
 * @param httpWorkerIpc where the answers go
 */
public record GetInternalStateReq(String rid, String httpWorkerIpc) implements Message {}
