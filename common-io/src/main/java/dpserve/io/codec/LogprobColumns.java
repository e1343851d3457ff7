package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.model.NextToken;

/**
 * The twelve columns of log probabilities that output batches have in a row: of input and output each the chosen tokens'
 * values and ids, then the most likely ones' values and ids, then those of ids the client named. Only the output's first
 * two pairs are used.
 */
final class LogprobColumns {
    static final int COUNT = 12;

    /** Where the output's columns stand among the twelve. */
    private static final int VALUES = 2;

    private static final int IDS = 3;
    private static final int TOP_VALUES = 6;
    private static final int TOP_IDS = 7;

    private static final String FIELD = "output_token_logprobs";
    private static final String TOP_FIELD = "output_top_logprobs";

    private LogprobColumns() {}

    static void write(WireWriter out, NextToken[][] tokens) {
        if (tokens == null) {
            out.nils(COUNT);
            return;
        }
        for (int column = 0; column < COUNT; column++) {
            out.array(tokens.length);
            for (NextToken[] ofRequest : tokens) {
                write(out, column, ofRequest);
            }
        }
    }

    private static void write(WireWriter out, int column, NextToken[] tokens) {
        boolean top = column == TOP_VALUES || column == TOP_IDS;
        boolean used = top ? hasTop(tokens) : tokens != null && (column == VALUES || column == IDS);
        out.array(used ? tokens.length : 0);
        if (!used) {
            return;
        }
        for (NextToken token : tokens) {
            if (column == VALUES) {
                out.float64(token.logprob());
            } else if (column == IDS) {
                out.integer(token.id());
            } else {
                out.array(token.topIds().length);
                for (int k = 0; k < token.topIds().length; k++) {
                    if (column == TOP_VALUES) {
                        out.float64(token.topLogprobs()[k]);
                    } else {
                        out.integer(token.topIds()[k]);
                    }
                }
            }
        }
    }

    private static boolean hasTop(NextToken[] tokens) {
        return tokens != null && tokens.length > 0 && tokens[0].topIds().length > 0;
    }

    /**
     * Reads the columns.
     *
     * @param first position of the first of them
     * @return null if no request has any
     */
    static NextToken[][] read(WireScanner in, StructReader s, int first, int size) throws CodecException {
        double[][] values = s.to(first + VALUES) ? lists(in, size, FIELD) : null;
        double[][] ids = s.to(first + IDS) ? lists(in, size, FIELD) : null;
        double[][][] topValues = s.to(first + TOP_VALUES) ? nested(in, size) : null;
        double[][][] topIds = s.to(first + TOP_IDS) ? nested(in, size) : null;
        NextToken[][] tokens = new NextToken[size][];
        boolean any = false;
        for (int i = 0; i < size; i++) {
            if (values != null && values[i].length > 0) {
                tokens[i] = tokens(values[i], at(ids, i), at(topValues, i), at(topIds, i));
                any = true;
            }
        }
        return any ? tokens : null;
    }

    private static <T> T at(T[] column, int i) {
        return column == null ? null : column[i];
    }

    private static NextToken[] tokens(double[] values, double[] ids, double[][] topValues, double[][] topIds)
            throws CodecException {
        boolean top = topValues != null && topValues.length > 0;
        if (ids == null || ids.length != values.length || top && topValues.length != values.length) {
            throw unequal();
        }
        NextToken[] tokens = new NextToken[values.length];
        for (int k = 0; k < tokens.length; k++) {
            double[] most = top ? topValues[k] : new double[0];
            double[] mostIds = top && topIds != null && topIds.length > k ? topIds[k] : new double[0];
            if (most.length != mostIds.length) {
                throw unequal();
            }
            int[] whole = new int[mostIds.length];
            for (int m = 0; m < whole.length; m++) {
                whole[m] = (int) mostIds[m];
            }
            tokens[k] = new NextToken((int) ids[k], values[k], whole, most);
        }
        return tokens;
    }

    private static CodecException unequal() {
        return new CodecException(Kind.BAD_VALUE, FIELD + ": values and ids differ in number");
    }

    /** A list for each request; nil stands for an empty one, and nil or an empty column for none at all. */
    private static double[][] lists(WireScanner in, int size, String field) throws CodecException {
        if (!hasColumn(in, size, field)) {
            return null;
        }
        double[][] lists = new double[size][];
        for (int i = 0; i < size; i++) {
            lists[i] = list(in, field);
        }
        return lists;
    }

    private static double[][][] nested(WireScanner in, int size) throws CodecException {
        if (!hasColumn(in, size, TOP_FIELD)) {
            return null;
        }
        double[][][] lists = new double[size][][];
        for (int i = 0; i < size; i++) {
            lists[i] = new double[in.nil() ? 0 : in.array(TOP_FIELD)][];
            for (int k = 0; k < lists[i].length; k++) {
                lists[i][k] = list(in, TOP_FIELD);
            }
        }
        return lists;
    }

    private static boolean hasColumn(WireScanner in, int size, String field) throws CodecException {
        if (in.nil()) {
            return false;
        }
        int length = in.array(field);
        if (length != 0 && length != size) {
            throw new CodecException(
                    Kind.WRONG_TYPE, field + " has " + length + " entries, there are " + size + " rids");
        }
        return length > 0;
    }

    private static double[] list(WireScanner in, String field) throws CodecException {
        double[] list = new double[in.nil() ? 0 : in.array(field)];
        for (int i = 0; i < list.length; i++) {
            list[i] = in.nil() ? Double.NaN : in.number(field);
        }
        return list;
    }
}
