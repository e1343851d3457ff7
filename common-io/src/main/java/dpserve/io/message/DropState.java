package dpserve.io.message;

/** Tokenizer worker to detokenizer: forget the state of these wire rids, nothing will follow. */
public record DropState(String[] rids) implements Message {}
