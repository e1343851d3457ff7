package dpserve.scheduler;

import dpserve.io.model.NextToken;

/**
 * What one step of an engine gave.
 *
 * @param nextTokenIds per request of the batch its next token; {@link Engine#NO_TOKEN} where the step did not reach the
 *     request's end
 * @param logprobs per request its next token with log probabilities, where it wanted some; null from an engine that has
 *     none
 * @param durationNs how long the modelled device takes for this step, before any time scale; 0 from an engine that
 *     really computed
 */
public record StepResult(int[] nextTokenIds, NextToken[] logprobs, long durationNs) {
    /** The next token of a request with its log probabilities, or null. */
    NextToken logprob(int i) {
        return logprobs == null ? null : logprobs[i];
    }
}
