package dpserve.bench.profile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The constants of a decode step (base + requests + KV tokens) from observed steps. Outliers (a pause of the machine, a step
 * whose graph had to be built) are found from a fit of least absolute errors and left out of the least-squares fit that
 * follows.
 *
 * <p>A constant is fitted only if what it multiplies varied by itself: by at least {@link #MIN_SPREAD} of its size, beyond
 * what the other quantities explain. So one operating point gives none, and requests of one length give no slopes, because
 * #token is then #running-req times that length.
 *
 * @param used observations behind the fit
 * @param outliers observations left out of it
 * @param values of the constants that are fitted or were given, ms
 * @param errors standard errors of the fitted ones, ms
 * @param undetermined constants that these observations cannot tell; {@code values} lacks them
 * @param clipped constants set to 0 because the best fit was negative
 */
public record ProfileFit(
        List<Observation> used,
        List<Observation> outliers,
        Map<DecodeConstant, Double> values,
        Map<DecodeConstant, Double> errors,
        Set<DecodeConstant> undetermined,
        Set<DecodeConstant> clipped) {

    /** Fewer lines give no idea of the noise. */
    public static final int MIN_OBSERVATIONS = 10;

    /** A quantity that varied less by itself is taken as constant: the noise of logged throughput is 1 to 2 %. */
    public static final double MIN_SPREAD = 0.05;

    /** Standard deviations beyond which an observation is an outlier; of normal noise this drops 1 in 2,000. */
    private static final double OUTLIER_SIGMAS = 3.5;

    /** The median absolute deviation of normal noise is this many standard deviations. */
    private static final double MAD_PER_SIGMA = 0.6745;

    /** Deviations below this share of a step are rounding, never outliers. */
    private static final double ROUNDING = 1e-3;

    /** Enough for the reweighted fit to settle; each round is a pass over the lines. */
    private static final int ROUNDS = 50;

    /**
     * Fits.
     *
     * @param fixed constants that are given, ms
     * @throws IllegalStateException if there are fewer than {@link #MIN_OBSERVATIONS}
     */
    public static ProfileFit of(List<Observation> observations, Map<DecodeConstant, Double> fixed) {
        if (observations.size() < MIN_OBSERVATIONS) {
            throw new IllegalStateException("only " + observations.size()
                    + " decode lines tell the duration of a step, " + MIN_OBSERVATIONS + " are needed");
        }
        List<DecodeConstant> free = new ArrayList<>(EnumSet.allOf(DecodeConstant.class));
        free.removeAll(fixed.keySet());
        Set<DecodeConstant> undetermined = undetermined(observations, free);
        Set<DecodeConstant> clipped = EnumSet.noneOf(DecodeConstant.class);
        Map<DecodeConstant, Double> values = new EnumMap<>(DecodeConstant.class);
        Map<DecodeConstant, Double> errors = new EnumMap<>(DecodeConstant.class);
        values.putAll(fixed);
        List<Observation> used = new ArrayList<>();
        List<Observation> outliers = new ArrayList<>();
        split(observations, free, fixed, used, outliers);
        double[] y = target(used, fixed);
        List<DecodeConstant> positive = nonNegative(used, y, free);
        LeastSquares.Solution best = LeastSquares.solve(columns(used, positive), y, null);
        double[] residuals = LeastSquares.residuals(columns(used, positive), best.coefficients(), y);
        double sigma =
                Math.sqrt(LeastSquares.dot(residuals, residuals, null) / Math.max(1, used.size() - positive.size()));
        for (DecodeConstant c : free) {
            int at = positive.indexOf(c);
            if (!undetermined.contains(c)) {
                values.put(c, at < 0 ? 0 : best.coefficients()[at]);
                errors.put(c, at < 0 ? 0 : best.spread()[at] * sigma);
                if (at < 0) {
                    clipped.add(c);
                }
            }
        }
        return new ProfileFit(used, outliers, values, errors, undetermined, clipped);
    }

    /** Modelled duration of a step, ms; only with every constant determined. */
    public double stepMs(Observation o) {
        return values.entrySet().stream()
                .mapToDouble(e -> e.getValue() * e.getKey().of(o))
                .sum();
    }

    private static Set<DecodeConstant> undetermined(List<Observation> observations, List<DecodeConstant> free) {
        Set<DecodeConstant> found = EnumSet.noneOf(DecodeConstant.class);
        for (DecodeConstant c : free) {
            List<DecodeConstant> others = new ArrayList<>(free);
            others.remove(c);
            double[][] columns = columns(observations, others);
            double[] own = columns(observations, List.of(c))[0];
            double[] left = LeastSquares.residuals(
                    columns, LeastSquares.solve(columns, own, null).coefficients(), own);
            double spread = Math.sqrt(LeastSquares.dot(left, left, null) / LeastSquares.dot(own, own, null));
            if (!(spread >= MIN_SPREAD)) {
                found.add(c);
            }
        }
        return found;
    }

    private static void split(
            List<Observation> observations,
            List<DecodeConstant> free,
            Map<DecodeConstant, Double> fixed,
            List<Observation> used,
            List<Observation> outliers) {
        double[] y = target(observations, fixed);
        double[][] columns = columns(observations, free);
        double[] weights = new double[y.length];
        Arrays.fill(weights, 1);
        double[] off = y;
        for (int round = 0; round < ROUNDS; round++) {
            off = LeastSquares.residuals(
                    columns, LeastSquares.solve(columns, y, weights).coefficients(), y);
            for (int i = 0; i < off.length; i++) {
                weights[i] = 1
                        / Math.max(
                                Math.abs(off[i]), ROUNDING * observations.get(i).stepMs());
            }
        }
        double[] sizes = Arrays.stream(off).map(Math::abs).sorted().toArray();
        double limit = OUTLIER_SIGMAS * sizes[sizes.length / 2] / MAD_PER_SIGMA;
        for (int i = 0; i < off.length; i++) {
            Observation o = observations.get(i);
            (Math.abs(off[i]) > Math.max(limit, ROUNDING * o.stepMs()) ? outliers : used).add(o);
        }
    }

    /** The columns whose best fit with no negative constant is not 0. */
    private static List<DecodeConstant> nonNegative(List<Observation> used, double[] y, List<DecodeConstant> free) {
        List<DecodeConstant> best = List.of();
        double least = Double.POSITIVE_INFINITY;
        // At most eight subsets: trying them all is the plainest exact method.
        for (int subset = 1; subset < 1 << free.size(); subset++) {
            List<DecodeConstant> some = new ArrayList<>();
            for (int i = 0; i < free.size(); i++) {
                if ((subset >> i & 1) == 1) {
                    some.add(free.get(i));
                }
            }
            double[][] columns = columns(used, some);
            double[] coefficients = LeastSquares.solve(columns, y, null).coefficients();
            double[] left = LeastSquares.residuals(columns, coefficients, y);
            double sum = LeastSquares.dot(left, left, null);
            if (sum < least && Arrays.stream(coefficients).allMatch(c -> c >= 0)) {
                least = sum;
                best = some;
            }
        }
        return best;
    }

    private static double[] target(List<Observation> observations, Map<DecodeConstant, Double> fixed) {
        return observations.stream()
                .mapToDouble(o -> o.stepMs()
                        - fixed.entrySet().stream()
                                .mapToDouble(e -> e.getValue() * e.getKey().of(o))
                                .sum())
                .toArray();
    }

    private static double[][] columns(List<Observation> observations, List<DecodeConstant> constants) {
        return constants.stream()
                .map(c -> observations.stream().mapToDouble(c::of).toArray())
                .toArray(double[][]::new);
    }
}
