package dpserve.io.message;

/**
 * Ask every rank for its load (SGLang until 2026; the polling that PR #11469 replaced).
 *
 * @param rid names the call; Java peers copy it into the answer
 * @param httpWorkerIpc where the answers go
 */
public record GetLoadReqInput(String rid, String httpWorkerIpc) implements Message {}
