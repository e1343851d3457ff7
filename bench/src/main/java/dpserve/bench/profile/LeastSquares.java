package dpserve.bench.profile;

/** Weighted least squares with a handful of columns, by the normal equations of columns scaled to one. */
final class LeastSquares {
    /** A pivot below this share of a scaled column means that the columns before it say the same. */
    private static final double SINGULAR = 1e-12;

    private LeastSquares() {}

    /**
     * Solution and what its errors come from.
     *
     * @param coefficients one for each column; 0 for a column that the others before it make up
     * @param spread for each column, the standard error of its coefficient for noise of standard deviation 1
     */
    record Solution(double[] coefficients, double[] spread) {}

    /**
     * @param columns [column][row]
     * @param weights of the rows, or null for all 1
     */
    static Solution solve(double[][] columns, double[] y, double[] weights) {
        int n = columns.length;
        double[] scale = new double[n];
        for (int i = 0; i < n; i++) {
            scale[i] = Math.sqrt(dot(columns[i], columns[i], weights));
        }
        double[][] a = new double[n][2 * n + 1];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i][j] = scale[i] * scale[j] == 0 ? 0 : dot(columns[i], columns[j], weights) / scale[i] / scale[j];
            }
            a[i][n] = scale[i] == 0 ? 0 : dot(columns[i], y, weights) / scale[i];
            a[i][n + 1 + i] = 1;
        }
        boolean[] used = eliminate(a, n);
        double[] coefficients = new double[n];
        double[] spread = new double[n];
        for (int i = 0; i < n; i++) {
            coefficients[i] = used[i] ? a[i][n] / scale[i] : 0;
            spread[i] = used[i] ? Math.sqrt(Math.max(0, a[i][n + 1 + i])) / scale[i] : Double.POSITIVE_INFINITY;
        }
        return new Solution(coefficients, spread);
    }

    /** Gauss-Jordan; the matrix is positive semidefinite, so the diagonal serves as pivot. */
    private static boolean[] eliminate(double[][] a, int n) {
        boolean[] used = new boolean[n];
        for (int p = 0; p < n; p++) {
            if (a[p][p] < SINGULAR) {
                continue;
            }
            used[p] = true;
            double pivot = a[p][p];
            for (int k = 0; k < a[p].length; k++) {
                a[p][k] /= pivot;
            }
            for (int i = 0; i < n; i++) {
                double factor = a[i][p];
                if (i != p && factor != 0) {
                    for (int k = 0; k < a[i].length; k++) {
                        a[i][k] -= factor * a[p][k];
                    }
                }
            }
        }
        return used;
    }

    /** What is left of y when the columns' share is taken away. */
    static double[] residuals(double[][] columns, double[] coefficients, double[] y) {
        double[] r = y.clone();
        for (int i = 0; i < columns.length; i++) {
            for (int row = 0; row < r.length; row++) {
                r[row] -= coefficients[i] * columns[i][row];
            }
        }
        return r;
    }

    static double dot(double[] a, double[] b, double[] weights) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i] * (weights == null ? 1 : weights[i]);
        }
        return sum;
    }
}
