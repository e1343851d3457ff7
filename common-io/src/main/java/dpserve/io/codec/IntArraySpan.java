package dpserve.io.codec;

/**
 * Where the items of an array of ids lie in a frame.
 *
 * @param offset of the first item
 * @param count items
 * @param itemBytes bytes of each, little-endian
 * @param unsigned whether they have no sign
 */
record IntArraySpan(int offset, int count, int itemBytes, boolean unsigned) {}
