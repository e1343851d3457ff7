package dpserve.io.message;

/** A busy scheduler's answer to a health probe that it did not run. */
public record HealthCheckOutput(String rid, String httpWorkerIpc) implements Message {}
