package dpserve.io.message;

/** Controller to a rank's input: a newer incarnation has this dp_rank. Abort everything held and register anew. */
public record Fenced(int dpRank, long incarnation) implements Message {}
