package dpserve.scheduler;

import dpserve.io.message.FinishReason;

/**
 * Whether a request ends with its newest token: stop strings first, then stop tokens and EOS, then length, as SGLang
 * (an abort goes before all of them). Unlike SGLang's, {@code ignore_eos} ignores EOS only: stop_token_ids that a client
 * names still end the output, as the parameters' description has it.
 */
final class FinishCheck {
    private final Engine engine;

    FinishCheck(Engine engine) {
        this.engine = engine;
    }

    /** The reason, or null while the request goes on; to be asked once after each token. */
    FinishReason after(Request r, int token) {
        String matched = r.stopStrings == null ? null : r.stopStrings.append(engine.tokenBytes(token));
        if (matched != null) {
            return new FinishReason.StopString(matched);
        }
        return isStopToken(r, token) ? new FinishReason.StopToken(token) : ofLength(r);
    }

    /** The reason if the request has all tokens it may have, or null. */
    FinishReason ofLength(Request r) {
        return r.outputLength() >= r.maxNewTokens() ? new FinishReason.Length(r.maxNewTokens()) : null;
    }

    private boolean isStopToken(Request r, int token) {
        if (r.outputLength() <= r.params().minNewTokens()) {
            return false;
        }
        for (int id : r.params().stopTokenIds()) {
            if (id == token) {
                return true;
            }
        }
        return !r.params().ignoreEos() && engine.isEos(token);
    }
}
