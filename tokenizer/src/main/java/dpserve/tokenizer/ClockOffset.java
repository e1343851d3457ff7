package dpserve.tokenizer;

/**
 * How far a peer's clock is from this one's, from messages there and back: a message cannot arrive before it was sent. A
 * peer whose stamps contradict nothing is taken to have the same clock, as processes of one host have; otherwise the offset
 * is the middle of what remains possible, which is off by at most half a round trip (as in Cristian's algorithm, 1989).
 */
final class ClockOffset {
    private double leastS = Double.NEGATIVE_INFINITY;
    private double mostS = Double.POSITIVE_INFINITY;

    /**
     * One exchange.
     *
     * @param sentS when this process sent, by its clock
     * @param peerFirstS when the peer had it at the earliest, by the peer's clock
     * @param peerLastS when the peer answered at the latest, by the peer's clock
     * @param arrivedS when the answer was here, by this process's clock
     */
    void observe(double sentS, double peerFirstS, double peerLastS, double arrivedS) {
        double least = peerLastS - arrivedS;
        double most = peerFirstS - sentS;
        if (least > mostS || most < leastS) {
            // One of the clocks was set: what was known is void.
            leastS = Double.NEGATIVE_INFINITY;
            mostS = Double.POSITIVE_INFINITY;
        }
        leastS = Math.max(leastS, least);
        mostS = Math.min(mostS, most);
    }

    /** What has to be taken from the peer's stamps, seconds. */
    double offsetS() {
        return leastS <= 0 && mostS >= 0 ? 0 : (leastS + mostS) / 2;
    }
}
